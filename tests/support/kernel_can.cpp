// SPDX-License-Identifier: Apache-2.0
#include "support/kernel_can.hpp"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/unique_fd.hpp"
#include "support/environment.hpp"

namespace twtrace::test {
namespace {

bool io_uring_possible_with(std::uint32_t features, const std::string& otherwise) {
  io_uring_params parameters{};
  const base::UniqueFd fd(static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters)));
  const int saved_errno = errno;
  if (fd && (parameters.features & features) == features) return true;
  mark_skipped(fd ? otherwise : std::string("io_uring_setup: ") + std::strerror(saved_errno));
  return false;
}

}  // namespace

bool io_uring_possible() { return io_uring_possible_with(0, ""); }

bool io_uring_workers_possible() {
  return io_uring_possible_with(IORING_FEAT_NATIVE_WORKERS, "io_uring's workers are kernel threads here");
}

bool mptcp_possible() {
  if (access("/proc/sys/net/mptcp/enabled", F_OK) == 0) return true;
  mark_skipped("this kernel has no MPTCP");
  return false;
}

}  // namespace twtrace::test
