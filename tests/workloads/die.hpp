// SPDX-License-Identifier: Apache-2.0
// How the loads end when they cannot do what they were asked to.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace twtrace::workload {

/// Prints "PROGRAM: what: errno" and exits with code 1.
[[noreturn]] inline void die(const char* what) {
  std::fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, std::strerror(errno));
  _exit(1);  // not exit(): a forked child must not write its parent's buffers
}

}  // namespace twtrace::workload
