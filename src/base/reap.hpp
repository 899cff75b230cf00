// SPDX-License-Identifier: Apache-2.0
// Waits for the end of a child process.
#pragma once

#include <sys/wait.h>

#include <cerrno>
#include <optional>

namespace twtrace::base {

/// Waits until the child has ended, whatever signals come meanwhile. Returns its status as of waitpid(2); empty: there
/// is no such child.
inline std::optional<int> reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return status;
}

}  // namespace twtrace::base
