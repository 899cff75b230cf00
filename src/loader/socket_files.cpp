// SPDX-License-Identifier: Apache-2.0
#include "loader/socket_files.hpp"

#include <twtrace/abi.h>

#include <twtrace.skel.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <thread>

#include "loader/iterator.hpp"
#include "loader/libbpf_log.hpp"

namespace twtrace::loader {

base::Result<void> SocketFiles::attach() {
  const LibbpfLog log;
  link_.reset(bpf_program__attach_iter(skeleton_->progs.find_sockets, nullptr));
  if (!link_) return base::fail(base::ErrorCode::kUnsupported, "cannot attach the BPF iterator: " + log.last_warning());
  return {};
}

base::Result<void> SocketFiles::look_through() const {
  const auto walk = start_iterator(link_);
  if (!walk) return tl::unexpected(walk.error());
  std::array<std::byte, 64> nothing{};
  while (true) {
    const auto got = read_iterator(*walk, nothing);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return {};
  }
}

void SocketFiles::let_tasks_close() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

}  // namespace twtrace::loader
