// SPDX-License-Identifier: Apache-2.0
#include "loader/listener_rows.hpp"

#include <bpf/bpf.h>
#include <twtrace.skel.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <thread>

#include "loader/iterator.hpp"
#include "loader/libbpf_log.hpp"

namespace twtrace::loader {
namespace {

/// A task that closes a socket has first taken it from its descriptors (close_fd), and may be preempted in between.
/// This is how long we let it go on before we say that no process has the socket.
constexpr std::chrono::milliseconds kClosing{5};

}  // namespace

base::Result<void> ListenerRows::attach() {
  const LibbpfLog log;
  link_.reset(bpf_program__attach_iter(skeleton_->progs.find_listeners, nullptr));
  if (!link_) return base::fail(base::ErrorCode::kUnsupported, "cannot attach the BPF iterator: " + log.last_warning());
  return {};
}

base::Result<std::map<std::uint64_t, std::uint32_t>> ListenerRows::find(std::span<const std::uint64_t> sockets) {
  std::map<std::uint64_t, std::uint32_t> rows;
  const std::uint32_t none = TW_ROW_NONE;
  while (!sockets.empty()) {
    const auto some = sockets.first(std::min<std::size_t>(sockets.size(), TW_MAX_LISTENERS));
    sockets = sockets.subspan(some.size());
    for (const std::uint64_t& socket : some) {
      static_cast<void>(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.listener_rows), &socket, &none, BPF_ANY));
    }
    const auto looked = link_ ? look_through_files() : base::Result<void>();
    const auto found = [this](std::uint64_t socket) { return has_row(socket); };
    if (link_ && !std::all_of(some.begin(), some.end(), found)) std::this_thread::sleep_for(kClosing);
    for (const std::uint64_t socket : some) {
      claim(socket);
      rows[socket] = take_row(socket);
    }
    if (!looked) return tl::unexpected(looked.error());
  }
  return rows;
}

base::Result<void> ListenerRows::look_through_files() {
  const auto walk = start_iterator(link_);
  if (!walk) return tl::unexpected(walk.error());
  std::array<std::byte, 64> nothing{};
  while (true) {
    const auto got = read_iterator(*walk, nothing);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return {};
  }
}

/// Whether a process has the socket.
bool ListenerRows::has_row(std::uint64_t socket) const {
  std::uint32_t row = TW_ROW_NONE;
  const int map = bpf_map__fd(skeleton_->maps.listener_rows);
  return bpf_map_lookup_elem(map, &socket, &row) == 0 && row != TW_ROW_NONE;
}

/// Does nothing if a process has the socket, or if it does not listen any more.
void ListenerRows::claim(std::uint64_t socket) {
  skeleton_->bss->tw_listener = socket;
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  static_cast<void>(bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.claim_listener), &run));
}

std::uint32_t ListenerRows::take_row(std::uint64_t socket) {
  const int map = bpf_map__fd(skeleton_->maps.listener_rows);
  std::uint32_t row = TW_ROW_NONE;
  if (bpf_map_lookup_elem(map, &socket, &row) != 0) return TW_ROW_NONE;
  static_cast<void>(bpf_map_delete_elem(map, &socket));
  return row;
}

std::vector<tw_closed_listener> ListenerRows::take_closed() {
  std::vector<tw_closed_listener> closed;
  tw_closed_listener one{};
  const int map = bpf_map__fd(skeleton_->maps.closed_listeners);
  while (bpf_map_lookup_and_delete_elem(map, nullptr, &one) == 0) closed.push_back(one);
  return closed;
}

}  // namespace twtrace::loader
