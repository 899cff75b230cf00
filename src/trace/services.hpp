// SPDX-License-Identifier: Apache-2.0
// Names the services of a trace: from a cgroup, as the kernel side numbers it, or from a process of this host.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/service.hpp"
#include "kernel/cgroup_fs.hpp"
#include "kernel/container.hpp"
#include "kernel/containers.hpp"
#include "kernel/procfs.hpp"
#include "loader/tracer.hpp"
#include "model/recording.hpp"

namespace twtrace::trace {

/// Looks up each cgroup once, and remembers its service. Not thread-safe.
class Services {
 public:
  /// The path of a cgroup as the kernel side recorded it, see loader::Tracer::cgroup_path().
  using RecordedPath = std::function<std::optional<loader::CgroupPath>(std::uint64_t cgroup_id)>;

  /// `cgroups`: empty if no cgroup tree can be read; then only recorded paths name a service. `look_up` names
  /// containers.
  Services(std::optional<kernel::CgroupFs> cgroups, kernel::Procfs procfs, kernel::ContainerLookup look_up);

  /// The service of a cgroup; unknown if nothing leads to its path yet. Valid until the next call.
  const base::Service& of_cgroup(std::uint64_t cgroup_id, const RecordedPath& recorded);
  /// The service of a process; unknown if the process is gone, or if its cgroup cannot be seen from here.
  base::Service of_process(std::uint32_t pid, const RecordedPath& recorded);
  /// The processes of this host as /proc shows them now, at most model::kMostSeenProcesses. Reads two files of each.
  std::vector<model::SeenProcess> processes(const RecordedPath& recorded);

 private:
  std::optional<std::string> path_of(std::uint64_t cgroup_id, const RecordedPath& recorded) const;
  base::Service classify(const std::string& path);

  std::optional<kernel::CgroupFs> cgroups_;
  kernel::Procfs procfs_;
  kernel::ContainerNames container_names_;
  std::unordered_map<std::uint64_t, base::Service> known_;  ///< by cgroup id
};

}  // namespace twtrace::trace
