// SPDX-License-Identifier: Apache-2.0
// Mounts, as /proc/PID/mountinfo lists them (proc(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace twtrace::kernel {

/// One mount. Octal escapes are decoded, so the strings have the original bytes.
struct Mount {
  std::string root;           ///< what is mounted: a directory of the file system, or "net:[4026532281]" for nsfs
  std::string mount_point;    ///< where, relative to the process's root directory
  std::string fs_type;        ///< "cgroup2", "nsfs", ...
  std::string super_options;  ///< "rw,name=systemd"
};

/// Mounts in the kernel's order. Malformed lines are skipped.
std::vector<Mount> parse_mountinfo(std::string_view text);

/// True when the comma-separated `options` contain exactly `option`.
bool has_option(std::string_view options, std::string_view option);

}  // namespace twtrace::kernel
