// SPDX-License-Identifier: Apache-2.0
#include "loader/felt_resets.hpp"

#include <bpf/bpf.h>
#include <twtrace.skel.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace twtrace::loader {

std::uint64_t FeltResets::waiting() const {
  return __atomic_load_n(&skeleton_->bss->tw_felt_waiting, __ATOMIC_SEQ_CST);
}

base::Result<void> FeltResets::settle() {
  const auto before = read();
  if (!before) return tl::unexpected(before.error());
  if (before->empty()) return {};
  auto looked = files_ != nullptr ? files_->look_through() : base::Result<void>();
  if (files_ != nullptr && waiting() > 0) SocketFiles::let_tasks_close();
  for (const auto& [socket, identity] : *before) give_to_socket(socket, identity);
  return looked;
}

base::Result<FeltResets::Waiting> FeltResets::read() const {
  const int map = bpf_map__fd(skeleton_->maps.felt_resets);
  std::uint32_t count = bpf_map__max_entries(skeleton_->maps.felt_resets);
  std::vector<std::uint64_t> sockets(count);
  std::vector<tw_felt> resets(count);
  std::uint32_t next = 0;
  const int error = -bpf_map_lookup_batch(map, nullptr, &next, sockets.data(), resets.data(), &count, nullptr);
  if (error != 0 && error != ENOENT) return base::fail_errno(error, "cannot read a BPF map");
  Waiting waiting;
  for (std::size_t i = 0; i < count; ++i) waiting[sockets[i]] = resets[i].identity;
  return waiting;
}

/// Does nothing if it has been counted meanwhile.
void FeltResets::give_to_socket(std::uint64_t socket, std::uint64_t identity) {
  tw_felt reset{};
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.felt_resets), &socket, &reset) != 0) return;
  if (reset.identity != identity) return;
  skeleton_->bss->tw_felt_socket = socket;
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  static_cast<void>(bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.settle_felt), &run));
}

}  // namespace twtrace::loader
