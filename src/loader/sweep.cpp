// SPDX-License-Identifier: Apache-2.0
#include "loader/sweep.hpp"

#include <bpf/bpf.h>
#include <twtrace.skel.h>

#include <algorithm>
#include <cerrno>
#include <type_traits>

#include "loader/mapped_array.hpp"

namespace twtrace::loader {
namespace {

/// Two, because an entry may be added between a scan's mark and its walk.
constexpr std::uint32_t kStaleScans = 2;

/// Entries of a map that one system call brings: 32 KiB.
constexpr std::uint32_t kBatch = 1024;

/// The number of `slots` is a power of two, and not below 1 << TW_SLOT_TAG_SHIFT.
std::uint64_t cookie_of(std::span<const tw_slot> slots, const tw_slot& slot) {
  const auto index = static_cast<std::uint64_t>(&slot - slots.data());
  return std::uint64_t{slot.tag} << TW_SLOT_TAG_SHIFT | index % (1U << TW_SLOT_TAG_SHIFT);
}

bool is_held(const tw_slot& slot) { return __atomic_load_n(&slot.state, __ATOMIC_ACQUIRE) >= TW_SLOT_PUBLISHED; }

void release(tw_slot& slot) { __atomic_fetch_sub(&slot.state, TW_SLOT_TAKEN, __ATOMIC_SEQ_CST); }

tw_bucket bucket_of(const tw_bucket& bucket) { return bucket; }

tw_bucket bucket_of(const tw_socket& socket) {
  tw_bucket bucket{};
  bucket.row = socket.row;
  bucket.scan = socket.scan;
  return bucket;
}

}  // namespace

Sweep::Sweep(twtrace_bpf& skeleton, GrowingArray<tw_row>& rows, std::uint32_t slots, std::uint32_t slice)
    : skeleton_(&skeleton), rows_(&rows), slots_(slots), slice_(slice), batch_(std::min(slice, kBatch)) {}

void Sweep::restart() {
  position_.reset();
  stage_ = Stage::kSockets;
}

bool Sweep::is_stale(std::uint32_t scan) const {
  return skeleton_->bss->tw_scan - (scan & ~TW_SCAN_COUNTED) >= kStaleScans;
}

/// After the connection has been forgotten: a socket lets go of its row, a bucket is reported.
void Sweep::settle(bool is_socket, const SweptBucket& swept, std::vector<SweptBucket>& gone) {
  if (!is_socket) {
    gone.push_back(swept);
  } else if (swept.bucket.row != TW_ROW_NONE) {
    __atomic_fetch_sub(&rows_->at(swept.bucket.row).pending, 1, __ATOMIC_SEQ_CST);
  }
}

/// The next entries of a map; true at its end. The kernel gives whole chains of its hash table, each under its lock, so
/// no entry is passed over because others of its chain are deleted meanwhile.
template <class Value>
base::Result<bool> Sweep::sweep_map(int map, std::vector<SweptBucket>& gone) {
  std::vector<std::uint64_t> keys(batch_);
  std::vector<Value> values(batch_);
  std::uint32_t count = batch_;
  std::uint32_t next = 0;
  const int error =
      -bpf_map_lookup_batch(map, position_ ? &*position_ : nullptr, &next, keys.data(), values.data(), &count, nullptr);
  if (error == ENOSPC) {  // a chain is longer
    batch_ *= 2;
    return false;
  }
  const bool at_end = error == ENOENT;
  if (error != 0 && !at_end) {
    position_.reset();
    return base::fail_errno(error, "cannot read a BPF map");
  }
  looked_at_ += count;
  position_ = at_end ? std::nullopt : std::optional(next);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!is_stale(values[i].scan) || bpf_map_delete_elem(map, &keys[i]) != 0) continue;
    settle(std::is_same_v<Value, tw_socket>, {keys[i], bucket_of(values[i])}, gone);
  }
  return at_end;
}

/// All of them: a million takes some 20 ms. Mapped for the moment only, because they are the kernel side's memory.
base::Result<void> Sweep::sweep_slots(std::vector<SweptBucket>& gone) {
  auto slots = MappedArray<tw_slot>::map(bpf_map__fd(skeleton_->maps.slots), slots_, "slots");
  if (!slots) return tl::unexpected(slots.error());
  for (tw_slot& slot : slots->values()) {
    if (!is_held(slot) || !is_stale(slot.bucket.scan)) continue;
    const SweptBucket swept{cookie_of(slots->values(), slot), slot.bucket};
    release(slot);
    settle(swept.bucket.substate == 0, swept, gone);
  }
  return {};
}

/// One step; true at the end of the sweep.
base::Result<bool> Sweep::step(std::vector<SweptBucket>& gone) {
  if (stage_ == Stage::kSlots) {
    stage_ = Stage::kSockets;
    if (auto swept = sweep_slots(gone); !swept) return tl::unexpected(swept.error());
    return true;
  }
  const bool sockets = stage_ == Stage::kSockets;
  auto done = sockets ? sweep_map<tw_socket>(bpf_map__fd(skeleton_->maps.sockets), gone)
                      : sweep_map<tw_bucket>(bpf_map__fd(skeleton_->maps.buckets), gone);
  if (!done) {
    stage_ = Stage::kSockets;
    return done;
  }
  if (*done) stage_ = sockets ? Stage::kBuckets : Stage::kSlots;
  return false;
}

base::Result<bool> Sweep::advance(std::vector<SweptBucket>& gone, Pace pace) {
  looked_at_ = 0;
  while (true) {
    auto done = step(gone);
    if (!done || *done || (pace == Pace::kSlice && looked_at_ >= slice_)) return done;
  }
}

}  // namespace twtrace::loader
