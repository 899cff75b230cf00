// SPDX-License-Identifier: Apache-2.0
#include "loader/sweep.hpp"

#include <bpf/bpf.h>
#include <twtrace.skel.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "loader/iterator.hpp"
#include "loader/libbpf_log.hpp"
#include "loader/mapped_array.hpp"

namespace twtrace::loader {
namespace {

/// The records in what a sweep wrote: a pause has none.
std::vector<tw_swept_bucket> records(std::span<const std::byte> bytes) {
  std::vector<tw_swept_bucket> result(bytes.size() / sizeof(tw_swept_bucket));
  if (!result.empty()) std::memcpy(result.data(), bytes.data(), result.size() * sizeof(tw_swept_bucket));
  std::erase_if(result, [](const tw_swept_bucket& record) { return record.key == 0; });
  return result;
}

/// As store__is_stale of bpf/lib/store.bpf.h.
constexpr std::uint32_t kStaleScans = 2;

/// The number of `slots` is a power of two, and not below 1 << TW_SLOT_TAG_SHIFT.
std::uint64_t cookie_of(std::span<const tw_slot> slots, const tw_slot& slot) {
  const auto index = static_cast<std::uint64_t>(&slot - slots.data());
  return std::uint64_t{slot.tag} << TW_SLOT_TAG_SHIFT | index % (1U << TW_SLOT_TAG_SHIFT);
}

bool is_held(const tw_slot& slot) { return __atomic_load_n(&slot.state, __ATOMIC_ACQUIRE) >= TW_SLOT_PUBLISHED; }

void release(tw_slot& slot) { __atomic_fetch_sub(&slot.state, TW_SLOT_TAKEN, __ATOMIC_SEQ_CST); }

LinkPtr attach_to_map(const bpf_program* program, const bpf_map* map) {
  bpf_iter_link_info target{};
  target.map.map_fd = static_cast<__u32>(bpf_map__fd(map));
  bpf_iter_attach_opts options{};
  options.sz = sizeof(options);
  options.link_info = &target;
  options.link_info_len = sizeof(target);
  return LinkPtr(bpf_program__attach_iter(program, &options));
}

}  // namespace

base::Result<Sweep> Sweep::attach(twtrace_bpf& skeleton, std::span<tw_row> rows, std::uint32_t slots) {
  const LibbpfLog log;
  Sweep sweep(skeleton, rows, slots);
  sweep.buckets_link_ = attach_to_map(skeleton.progs.sweep_buckets, skeleton.maps.buckets);
  sweep.sockets_link_ = attach_to_map(skeleton.progs.sweep_sockets, skeleton.maps.sockets);
  if (!sweep.buckets_link_ || !sweep.sockets_link_) {
    return base::fail(base::ErrorCode::kUnsupported, "cannot attach the BPF iterators: " + log.last_warning());
  }
  return sweep;
}

void Sweep::restart() {
  walk_.reset();
  stage_ = Stage::kSockets;
}

/// After the connection has been forgotten: a socket lets go of its row, a bucket is reported.
void Sweep::settle(bool is_socket, const tw_swept_bucket& swept, std::vector<tw_swept_bucket>& gone) {
  if (!is_socket) {
    gone.push_back(swept);
  } else if (swept.bucket.row != TW_ROW_NONE) {
    __atomic_fetch_sub(&rows_[swept.bucket.row].pending, 1, __ATOMIC_SEQ_CST);
  }
}

/// As much of a map as one read brings; true at its end. An entry that is passed over because others of its chain were
/// deleted meanwhile is found by the next sweep.
base::Result<bool> Sweep::sweep_map(std::vector<tw_swept_bucket>& gone) {
  const bool sockets = stage_ == Stage::kSockets;
  if (!walk_) {
    auto walk = start_iterator(sockets ? sockets_link_ : buckets_link_);
    if (!walk) return tl::unexpected(walk.error());
    walk_ = std::move(*walk);
  }
  std::array<std::byte, TW_SWEEP_READ_BYTES> buffer{};
  const auto got = read_iterator(walk_, buffer);
  if (!got || *got == 0) {
    walk_.reset();
    if (!got) return tl::unexpected(got.error());
    return true;
  }
  const int map = bpf_map__fd(sockets ? skeleton_->maps.sockets : skeleton_->maps.buckets);
  for (const tw_swept_bucket& swept : records(std::span<const std::byte>(buffer).first(*got))) {
    if (bpf_map_delete_elem(map, &swept.key) == 0) settle(sockets, swept, gone);
  }
  return false;
}

/// All of them: a million takes some 20 ms. Mapped for the moment only, because they are the kernel side's memory.
base::Result<void> Sweep::sweep_slots(std::vector<tw_swept_bucket>& gone) {
  auto slots = MappedArray<tw_slot>::map(bpf_map__fd(skeleton_->maps.slots), slots_, "slots");
  if (!slots) return tl::unexpected(slots.error());
  for (tw_slot& slot : slots->values()) {
    if (!is_held(slot) || skeleton_->bss->tw_scan - (slot.bucket.scan & ~TW_SCAN_COUNTED) < kStaleScans) continue;
    const tw_swept_bucket swept{cookie_of(slots->values(), slot), slot.bucket};
    release(slot);
    settle(swept.bucket.substate == 0, swept, gone);
  }
  return {};
}

/// One step; true at the end of the sweep.
base::Result<bool> Sweep::step(std::vector<tw_swept_bucket>& gone) {
  if (stage_ == Stage::kSlots) {
    stage_ = Stage::kSockets;
    if (auto swept = sweep_slots(gone); !swept) return tl::unexpected(swept.error());
    return true;
  }
  auto done = sweep_map(gone);
  if (!done) {
    stage_ = Stage::kSockets;
    return done;
  }
  if (*done) stage_ = stage_ == Stage::kSockets ? Stage::kBuckets : Stage::kSlots;
  return false;
}

base::Result<bool> Sweep::advance(std::vector<tw_swept_bucket>& gone, Pace pace) {
  while (true) {
    auto done = step(gone);
    if (!done || *done || pace == Pace::kSlice) return done;
  }
}

}  // namespace twtrace::loader
