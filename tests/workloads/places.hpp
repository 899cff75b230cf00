// SPDX-License-Identifier: Apache-2.0
// Where a workload runs: its network namespace and its cgroup.
#pragma once

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "die.hpp"

namespace twtrace::workload {

/// Of the calling process's network namespace.
inline void bring_loopback_up() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0) die("lo");
  close(fd);
}

/// Moves the calling process into the cgroup of `directory`.
inline void enter_cgroup(const std::string& directory) {
  const int fd = open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "0", 1) != 1) die(directory.c_str());
  close(fd);
}

}  // namespace twtrace::workload
