// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup.hpp"

#include <utility>

#include "kernel/cgroup_parts.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kShortIdLength = 12;
constexpr std::size_t kShortUidLength = 8;
// Cgroups that may belong to a container: /NAMESPACE/ID of ctr, and a cgroup whose name is an id.
constexpr int kMaxGuesses = 2;

bool is_user_manager(std::string_view unit) { return unit.starts_with("user@") && unit.ends_with(".service"); }

// LXC, nspawn, Slurm and Cloud Foundry use the names that people use.
bool has_engine(std::string_view kind) {
  return kind != "lxc" && kind != "nspawn" && kind != "slurm" && kind != "garden";
}

std::string shown_id(const CgroupPart& part) {
  return has_engine(part.kind) && is_hex(part.id) ? part.id.substr(0, kShortIdLength) : part.id;
}

std::string pod_name(const base::Pod& pod) {
  if (pod.name.empty()) return "pod" + pod.uid.substr(0, kShortUidLength);
  return pod.ns.empty() ? pod.name : pod.ns + '/' + pod.name;
}

// Builds a service from the parts of its path, outermost first.
class Naming {
 public:
  Naming(std::string_view path, const ContainerLookup& look_up) : look_up_(look_up), parts_(split_cgroup(path)) {
    service_.cgroup = path;
  }

  base::Service run() {
    std::size_t end = 0;
    for (const CgroupPart& part : parts_.all) {
      if (part.is_unit()) {
        if (unit_ == nullptr || is_user_manager(unit_->id)) unit_ = &part;
      } else if (hold(part)) {
        end = part.end;
        unit_ = nullptr;
      }
    }
    if (unit_ != nullptr) {
      end = unit_->end;
      append(unit_->id);
      if (!held_) service_.kind = unit_->kind;
    } else if (!held_) {
      service_.kind = "cgroup";
      service_.name = service_.cgroup;
      end = service_.cgroup.size();
    }
    service_.inner_bytes = static_cast<std::uint32_t>(service_.cgroup.size() - end);
    return std::move(service_);
  }

 private:
  std::optional<ContainerFacts> look_up(const CgroupPart& part) {
    if (held_ || !look_up_ || !has_engine(part.kind)) return std::nullopt;
    if (part.kind.empty() && guesses_++ >= kMaxGuesses) return std::nullopt;
    return look_up_({.id = part.id,
                     .cgroup = service_.cgroup.substr(0, part.end),
                     .containerd_namespace = part.containerd_namespace,
                     .pod_uid = part.pod_uid,
                     .uid = parts_.uid,
                     .pid = {}});
  }

  // Adds a container, pod or job. False if the cgroup only looks like one.
  bool hold(const CgroupPart& part) {
    auto known = look_up(part);
    if (part.kind.empty() && !known) return false;
    held_ = true;
    ContainerFacts facts = std::move(known).value_or(ContainerFacts{});
    const bool in_pod = part.kind == "kubernetes" || !facts.pod.name.empty();
    if (in_pod) {
      service_.kind = "kubernetes";
      service_.pod = facts.pod;
      if (!part.pod_uid.empty()) service_.pod.uid = part.pod_uid;
      append(pod_name(service_.pod));
    } else {
      service_.kind = facts.engine.empty() ? std::string(part.kind) : facts.engine;
    }
    const bool whole_pod = in_pod && (part.id.empty() || facts.sandbox);
    if (!whole_pod) append(facts.name.empty() ? shown_id(part) : facts.name);
    service_.container = part.kind == "slurm" ? std::string() : part.id;
    return true;
  }

  void append(std::string_view name) {
    if (!service_.name.empty()) service_.name += '/';
    service_.name += name;
  }

  const ContainerLookup& look_up_;
  CgroupParts parts_;
  base::Service service_;
  const CgroupPart* unit_ = nullptr;  ///< in the innermost container so far
  bool held_ = false;                 ///< some part was a container, pod or job
  int guesses_ = 0;                   ///< cgroups that may belong to a container and were looked up
};

}  // namespace

base::Service classify_cgroup(std::string_view path, const ContainerLookup& look_up) {
  if (path.size() > kMaxCgroupPathBytes) path = path.substr(path.size() - kMaxCgroupPathBytes);
  return path.empty() ? base::Service{} : Naming(path, look_up).run();
}

std::optional<std::string> process_cgroup(std::string_view text, std::string_view controllers) {
  constexpr std::string_view kDeleted = " (deleted)";
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const std::string_view hierarchy = cut(line, ':');
    const std::string_view listed = cut(line, ':');
    if (listed != controllers || (controllers.empty() && hierarchy != "0")) continue;
    if (line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
    if (line.empty()) return std::nullopt;
    return std::string(line);
  }
  return std::nullopt;
}

}  // namespace twtrace::kernel
