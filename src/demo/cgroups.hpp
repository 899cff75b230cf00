// SPDX-License-Identifier: Apache-2.0
// Cgroups with the names of services, so that the demo's processes appear as services.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"

namespace twtrace::demo {

/// "twtrace-demo-812" -> 812; empty for any other name.
std::optional<pid_t> pid_of_directory(std::string_view name);

/// Owns MOUNT/twtrace-demo-PID and the cgroups below it, and removes them on destruction, once their processes are
/// gone. Move-only, not thread-safe.
class Cgroups {
 public:
  /// Makes one cgroup per service. `mount` is the mount point of the hierarchy that names services. Leaves nothing
  /// behind on failure.
  static base::Result<Cgroups> create(const std::filesystem::path& mount, pid_t owner,
                                      const std::vector<std::string>& services);
  /// Removes the cgroups that killed demos left in `mount`. Removes only empty cgroups with a name from `services`, and
  /// only those of processes that no longer live.
  static void remove_stale(const std::filesystem::path& mount, pid_t self, const std::vector<std::string>& services);

  Cgroups(Cgroups&& other) noexcept : directories_(std::move(other.directories_)) { other.directories_.clear(); }
  Cgroups& operator=(Cgroups&&) = delete;
  ~Cgroups();

  /// The directory of a service made by create().
  std::filesystem::path path(const std::string& service) const { return directories_.front() / service; }

 private:
  Cgroups() = default;

  std::vector<std::filesystem::path> directories_;  ///< parent first
};

/// Moves the calling process into the cgroup.
base::Result<void> join_cgroup(const std::filesystem::path& directory);

}  // namespace twtrace::demo
