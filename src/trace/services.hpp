// SPDX-License-Identifier: Apache-2.0
// Names the services of a trace: from a cgroup, as the kernel side numbers it, or from a process of this host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/service.hpp"
#include "kernel/cgroup_fs.hpp"
#include "kernel/container.hpp"
#include "kernel/containers.hpp"
#include "kernel/procfs.hpp"
#include "loader/tracer.hpp"
#include "model/recording.hpp"
#include "trace/name_helper.hpp"

namespace twtrace::trace {

/// Looks up each cgroup once, and remembers its service while a row refers to it. Not thread-safe.
class Services {
 public:
  /// The path of a cgroup as the kernel side recorded it, see loader::Tracer::cgroup_path().
  using RecordedPath = std::function<std::optional<loader::CgroupPath>(std::uint64_t cgroup_id)>;
  /// Gives the record of a cgroup back to the kernel side, see loader::Tracer::forget_cgroup(). False: not now.
  using ForgetPath = std::function<bool(std::uint64_t cgroup_id)>;

  /// `cgroups`: empty if no cgroup tree can be read; then only recorded paths name a service. `look_up` names
  /// containers. `helper` (may be null) looks up cgroups by id: that is quick only with a privilege.
  Services(std::optional<kernel::CgroupFs> cgroups, kernel::Procfs procfs, kernel::ContainerLookup look_up,
           std::shared_ptr<NameHelper> helper = nullptr);

  /// The service of a cgroup; unknown if nothing leads to its path yet. Valid until the next call.
  const base::Service& of_cgroup(std::uint64_t cgroup_id, const RecordedPath& recorded);
  /// Gives records back to the kernel side, and forgets services. The kernel side records a path again when it makes a
  /// row of that cgroup, so nothing is lost: a service is forgotten one call after its record was given back, if no row
  /// refers to it by then. `in_rows`: the cgroups of all published rows. `most_recorded`: give back records of cgroups
  /// with rows, too, when there may be more.
  void give_back(const std::unordered_set<std::uint64_t>& in_rows, std::size_t most_recorded, const ForgetPath& forget);
  /// The service of a process; unknown if the process is gone, or if its cgroup cannot be seen from here.
  base::Service of_process(std::uint32_t pid, const RecordedPath& recorded);
  /// The processes of this host as /proc shows them now, at most model::kMostSeenProcesses. Reads two files of each.
  std::vector<model::SeenProcess> processes(const RecordedPath& recorded);

  /// Whether the helper is late: what is asked now may stay without a name, and is worth asking again.
  bool is_late() const { return helper_ && helper_->is_late(); }

 private:
  struct Known {
    base::Service service;
    bool is_recorded = false;  ///< the kernel side may have a record
  };

  std::optional<std::string> path_of(std::uint64_t cgroup_id, const RecordedPath& recorded) const;
  base::Service classify(const std::string& path);

  std::optional<kernel::CgroupFs> cgroups_;
  kernel::Procfs procfs_;
  kernel::ContainerNames container_names_;
  std::shared_ptr<NameHelper> helper_;
  base::Service unsure_;                            ///< of a container that nobody could look up: asked again next time
  std::unordered_map<std::uint64_t, Known> known_;  ///< by cgroup id
  std::size_t recorded_ = 0;                        ///< how many of them may have a record
};

}  // namespace twtrace::trace
