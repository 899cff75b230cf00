// SPDX-License-Identifier: Apache-2.0
#include "loader/listener_rows.hpp"

#include <bpf/bpf.h>
#include <twtrace.skel.h>

#include <algorithm>
#include <cstddef>

namespace twtrace::loader {
base::Result<std::map<std::uint64_t, std::uint32_t>> ListenerRows::find(std::span<const std::uint64_t> sockets) {
  std::map<std::uint64_t, std::uint32_t> rows;
  const std::uint32_t none = TW_ROW_NONE;
  while (!sockets.empty()) {
    const auto some = sockets.first(std::min<std::size_t>(sockets.size(), TW_MAX_LISTENERS));
    sockets = sockets.subspan(some.size());
    for (const std::uint64_t& socket : some) {
      static_cast<void>(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.listener_rows), &socket, &none, BPF_ANY));
    }
    const auto looked = files_ != nullptr ? files_->look_through() : base::Result<void>();
    const auto found = [this](std::uint64_t socket) { return has_row(socket); };
    if (files_ != nullptr && !std::all_of(some.begin(), some.end(), found)) SocketFiles::let_tasks_close();
    for (const std::uint64_t socket : some) {
      claim(socket);
      rows[socket] = take_row(socket);
    }
    if (!looked) return tl::unexpected(looked.error());
  }
  return rows;
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
