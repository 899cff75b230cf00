// SPDX-License-Identifier: Apache-2.0
#include "trace/services.hpp"

#include <set>
#include <utility>

#include "kernel/cgroup.hpp"

namespace twtrace::trace {

Services::Services(std::optional<kernel::CgroupFs> cgroups, kernel::Procfs procfs, kernel::ContainerLookup look_up,
                   std::shared_ptr<NameHelper> helper)
    : cgroups_(std::move(cgroups)),
      procfs_(std::move(procfs)),
      container_names_(std::move(look_up)),
      helper_(std::move(helper)) {}

/// The kernel side records the path when the first socket of a cgroup closes. If a path was too long for it, the cgroup
/// tree has the whole path while the cgroup exists.
std::optional<std::string> Services::path_of(std::uint64_t cgroup_id, const RecordedPath& recorded) const {
  const auto path = recorded(cgroup_id);
  if (path && !path->truncated) return path->path;
  if (helper_ && helper_->answers()) {
    if (auto found = helper_->path_of_cgroup(cgroup_id)) return found;
  } else if (cgroups_) {
    if (auto found = cgroups_->path_of_id(cgroup_id)) return *found;
  }
  return path ? std::optional(path->path) : std::nullopt;
}

base::Service Services::classify(const std::string& path) {
  return kernel::classify_cgroup(path, [&](kernel::ContainerQuery query) -> std::optional<kernel::ContainerFacts> {
    if (is_late()) return std::nullopt;  // and container_names_ must not take that for an answer
    if (cgroups_) query.pid = cgroups_->process_in(path);
    if (cgroups_ && !query.pid) query.pid = cgroups_->process_in(query.cgroup);
    return container_names_.look_up(query);
  });
}

const base::Service& Services::of_cgroup(std::uint64_t cgroup_id, const RecordedPath& recorded) {
  static const base::Service kUnknown;
  if (cgroup_id == 0) return kUnknown;
  auto known = known_.find(cgroup_id);
  if (known == known_.end()) {
    const auto path = path_of(cgroup_id, recorded);
    if (!path) return kUnknown;  // not known yet: asked again next time
    unsure_ = classify(*path);
    if (is_late()) return unsure_;
    known = known_.emplace(cgroup_id, Known{std::exchange(unsure_, {})}).first;
  }
  // Whoever asks has seen a new row, for which the kernel side has recorded the path if it had none.
  if (!std::exchange(known->second.is_recorded, true)) ++recorded_;
  return known->second.service;
}

void Services::give_back(const std::unordered_set<std::uint64_t>& in_rows, std::size_t most_recorded,
                         const ForgetPath& forget) {
  const bool is_short = recorded_ > most_recorded;
  for (auto known = known_.begin(); known != known_.end();) {
    const bool is_used = in_rows.contains(known->first);
    if (known->second.is_recorded) {
      if ((is_short || !is_used) && forget(known->first)) {
        known->second.is_recorded = false;
        --recorded_;
      }
    } else if (!is_used) {
      known = known_.erase(known);
      continue;
    }
    ++known;
  }
}

base::Service Services::of_process(std::uint32_t pid, const RecordedPath& recorded) {
  if (!cgroups_) return {};
  const bool v1 = cgroups_->choose() == kernel::HierarchyChoice::kV1Systemd;
  const auto text = procfs_.read(std::to_string(pid) + "/cgroup");
  const auto path = text ? kernel::process_cgroup(*text, v1 ? "name=systemd" : "") : std::nullopt;
  if (!path) return {};
  const auto id = cgroups_->id_of_path(*path);
  return id ? of_cgroup(*id, recorded) : kernel::classify_cgroup(*path);
}

std::vector<model::SeenProcess> Services::processes(const RecordedPath& recorded) {
  std::set<model::SeenProcess> seen;
  for (const std::uint32_t pid : procfs_.pids()) {
    const auto stat = procfs_.stat(pid);
    if (stat) seen.insert({of_process(pid, recorded), stat->comm});
    if (seen.size() == model::kMostSeenProcesses) break;
  }
  return {seen.begin(), seen.end()};
}

}  // namespace twtrace::trace
