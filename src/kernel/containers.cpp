// SPDX-License-Identifier: Apache-2.0
// Knows where container engines keep their files, and finds the one that answers a query.
#include "kernel/containers.hpp"

#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "kernel/cgroup.hpp"
#include "kernel/container_files.hpp"
#include "kernel/file.hpp"
#include "kernel/procfs.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

using Path = std::filesystem::path;

constexpr std::size_t kMaxEntries = 10'000;  // per directory
constexpr int kMaxAncestors = 32;

/// containers/storage keeps the containers of a driver in "<driver>-containers".
constexpr std::array kStorageDrivers = {"overlay", "vfs", "btrfs", "zfs"};
/// The bundles of one kind of shim, by containerd namespace and id.
constexpr std::array kContainerdTasks = {"io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"};
/// containerd's own, docker's, those of k3s and RKE2, k0s and MicroK8s.
constexpr std::array kContainerdStates = {"run/containerd", "run/docker/containerd/daemon", "run/k3s/containerd",
                                          "run/k0s/containerd", "var/snap/microk8s/common/run/containerd"};

std::string read_or_empty(const Path& path) {
  return read_regular_file(path, kMaxContainerFileBytes).value_or(std::string());
}

/// An absolute path of the machine, below `root`.
Path below(const Path& root, std::string_view absolute) { return root.native() + std::string(absolute); }

/// True if the name stays inside its directory.
bool is_entry(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

/// The first answer to visit(name) among the entries of a directory.
template <class Visit>
auto first_entry(const Path& directory, Visit visit) -> decltype(visit(std::string())) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (std::size_t seen = 0; !error && entry != std::filesystem::directory_iterator() && seen < kMaxEntries; ++seen) {
    if (auto answer = visit(entry->path().filename().native())) return answer;
    entry.increment(error);
  }
  return std::nullopt;
}

/// Where the engines of the host, or of one user, keep their files.
struct Places {
  std::vector<Path> docker_containers;
  std::vector<Path> storages;  ///< containers/storage
  std::vector<Path> containerd_states;
};

Places places_of_host(const Path& root) {
  Places places;
  if (const auto data = docker_data_root(read_or_empty(root / "etc/docker/daemon.json"))) {
    places.docker_containers.push_back(below(root, *data) / "containers");
  }
  places.docker_containers.push_back(root / "var/lib/docker/containers");
  places.docker_containers.push_back(root / "var/snap/docker/common/var-lib-docker/containers");
  if (const auto graph = toml_string(read_or_empty(root / "etc/containers/storage.conf"), "graphroot")) {
    places.storages.push_back(below(root, *graph));
  }
  places.storages.push_back(root / "var/lib/containers/storage");
  if (const auto state = toml_string(read_or_empty(root / "etc/containerd/config.toml"), "state")) {
    places.containerd_states.push_back(below(root, *state));
  }
  for (const char* state : kContainerdStates) places.containerd_states.push_back(root / state);
  return places;
}

std::optional<std::string> home_of(const Path& root, std::uint32_t uid) {
  const std::string text = read_or_empty(root / "etc/passwd");
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = cut(rest, '\n');
    std::array<std::string_view, 6> fields;  // name:password:uid:gid:comment:home
    for (std::string_view& field : fields) field = cut(line, ':');
    if (parse_number<std::uint32_t>(fields[2]) == uid && fields[5].starts_with('/')) return std::string(fields[5]);
  }
  return std::nullopt;
}

Places places_of_user(const Path& root, std::uint32_t uid) {
  const auto home = home_of(root, uid);
  if (!home) return {};
  const Path shared = below(root, *home) / ".local/share";
  return {{shared / "docker/containers"}, {shared / "containers/storage"}, {}};
}

class Search {
 public:
  Search(const Path& root, const ContainerQuery& query) : root_(root), query_(query), procfs_(root / "proc") {}

  std::optional<ContainerFacts> run() const {
    std::optional<ContainerFacts> found;
    if (is_entry(query_.id)) {
      found = in(query_.uid ? places_of_user(root_, *query_.uid) : places_of_host(root_));
      if (!found && query_.pid) found = of_supervisor();
    }
    return with_pod(std::move(found));
  }

 private:
  std::optional<ContainerFacts> in(const Places& places) const {
    for (const Path& containers : places.docker_containers) {
      if (auto found = in_docker(containers)) return found;
    }
    for (const Path& storage : places.storages) {
      if (auto found = in_storage(storage)) return found;
    }
    for (const Path& state : places.containerd_states) {
      if (auto found = in_containerd(state)) return found;
    }
    return std::nullopt;
  }

  std::optional<ContainerFacts> in_docker(const Path& containers) const {
    return docker_facts(read_or_empty(containers / query_.id / "config.v2.json"));
  }

  std::optional<ContainerFacts> in_storage(const Path& storage) const {
    for (const std::string driver : kStorageDrivers) {
      const Path containers = storage / (driver + "-containers");
      std::error_code ignored;
      if (!std::filesystem::is_directory(containers / query_.id, ignored)) continue;
      return in_storage_bundle(containers / query_.id / "userdata", containers);
    }
    return std::nullopt;
  }

  // Kubernetes' names are in the bundle. podman's are only in the list of all containers. Containers that will not
  // outlive a reboot have a separate list.
  std::optional<ContainerFacts> in_storage_bundle(const Path& bundle, const Path& containers) const {
    ContainerFacts facts = in_bundle(bundle, root_).value_or(ContainerFacts{});
    if (facts.engine != "cri-o") facts.engine = "podman";
    if (!facts.pod.name.empty()) return facts;
    for (const char* list : {"containers.json", "volatile-containers.json"}) {
      if (auto name = storage_name(read_or_empty(containers / list), query_.id)) facts.name = *std::move(name);
    }
    return facts;
  }

  std::optional<ContainerFacts> in_containerd(const Path& state) const {
    for (const char* tasks : kContainerdTasks) {
      const auto in_namespace = [&](const std::string& name) {
        return in_bundle(state / tasks / name / query_.id, root_);
      };
      auto found = query_.containerd_namespace.empty() ? first_entry(state / tasks, in_namespace)
                                                       : in_namespace(query_.containerd_namespace);
      if (found) return found;
    }
    return std::nullopt;
  }

  /// `machine_root`: the root of the paths in the bundle.
  std::optional<ContainerFacts> in_bundle(const Path& directory, const Path& machine_root) const {
    auto bundle = parse_bundle(read_or_empty(directory / "config.json"));
    if (!bundle) return std::nullopt;
    if (bundle->docker_containers.empty()) return std::move(bundle->facts);
    auto found = in_docker(below(machine_root, bundle->docker_containers));
    return found ? std::move(found) : std::optional(std::move(bundle->facts));
  }

  /// An ancestor outside the container's cgroup has started it: conmon or a shim, and in between the runtime (runc)
  /// while the container comes up. The supervisor may see other mounts. So its files are read through its root and
  /// working directory, which needs CAP_SYS_PTRACE.
  std::optional<ContainerFacts> of_supervisor() const {
    auto pid = query_.pid;
    for (int i = 0; pid && *pid != 0 && i < kMaxAncestors; ++i) {
      auto found = is_in_container(*pid) ? std::nullopt : supervised_by(*pid);
      if (found) return found;
      const auto stat = procfs_.stat(*pid);
      pid = stat ? std::optional(stat->parent) : std::nullopt;
    }
    return std::nullopt;
  }

  bool is_in_container(std::uint32_t pid) const {
    const std::string text = read_file(procfs_.path(pid, "cgroup")).value_or(std::string());
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view line = cut(rest, '\n');
      cut(line, ':');
      cut(line, ':');
      if (line.starts_with(query_.cgroup) &&
          (line.size() == query_.cgroup.size() || line[query_.cgroup.size()] == '/')) {
        return true;
      }
    }
    return false;
  }

  std::optional<ContainerFacts> supervised_by(std::uint32_t pid) const {
    const auto cmdline = read_file(procfs_.path(pid, "cmdline"));
    const auto supervisor = cmdline ? parse_supervisor(*cmdline, query_.id) : std::nullopt;
    if (!supervisor) return std::nullopt;
    const Path machine_root = procfs_.path(pid, "root");
    if (supervisor->is_shim) return in_bundle(procfs_.path(pid, "cwd") / ".." / query_.id, machine_root);
    ContainerFacts facts;
    if (supervisor->bundle.starts_with('/')) {
      const Path bundle = below(machine_root, supervisor->bundle);
      facts = *in_storage_bundle(bundle, bundle.parent_path().parent_path());
    }
    if (facts.name.empty() && facts.pod.name.empty()) facts.name = supervisor->name;
    return facts;
  }

  /// The names of a container's log files tell everything about it. Kubernetes makes them for every runtime, and
  /// everybody may read them.
  std::optional<ContainerFacts> with_pod(std::optional<ContainerFacts> found) const {
    if (query_.pod_uid.empty() || query_.uid) return found;
    if (found && !found->pod.name.empty() && (found->sandbox || !found->name.empty())) return found;
    auto linked = first_entry(root_ / "var/log/containers",
                              [&](const std::string& name) { return facts_of_log_link(name, query_.id); });
    if (!linked) linked = pod_of_logs();
    if (!linked) return found;
    ContainerFacts facts = std::move(found).value_or(ContainerFacts{});
    if (facts.pod.name.empty()) facts.pod = std::move(linked->pod);
    if (!facts.sandbox && facts.name.empty()) facts.name = std::move(linked->name);
    return facts;
  }

  std::optional<ContainerFacts> pod_of_logs() const {
    return first_entry(root_ / "var/log/pods", [&](const std::string& name) -> std::optional<ContainerFacts> {
      auto pod = pod_of_log_directory(name);
      if (!pod || pod->uid != query_.pod_uid) return std::nullopt;
      return ContainerFacts{.engine = {}, .name = {}, .pod = *std::move(pod)};
    });
  }

  const Path& root_;
  const ContainerQuery& query_;
  Procfs procfs_;
};

}  // namespace

std::optional<ContainerFacts> find_container(const std::filesystem::path& root, const ContainerQuery& query) {
  return Search(root, query).run();
}

std::optional<ContainerFacts> ContainerNames::look_up(const ContainerQuery& query) {
  const auto known = known_.find(query.cgroup);
  if (known != known_.end()) {
    Known& answer = known->second;
    if (!answer.facts && std::has_single_bit(++answer.asked)) answer.facts = look_up_(query);
    return answer.facts;
  }
  if (query.containerd_namespace.empty()) {
    auto found = look_up_(query);
    keep(query.cgroup, found);
    return found;
  }
  if (in_vain_.size() >= capacity_) in_vain_.clear();
  int& in_vain = in_vain_[query.containerd_namespace];
  if (in_vain >= kMostInVain) return std::nullopt;
  auto found = look_up_(query);
  in_vain = found ? 0 : in_vain + 1;
  if (found) keep(query.cgroup, found);
  return found;
}

void ContainerNames::keep(const std::string& cgroup, const std::optional<ContainerFacts>& found) {
  if (known_.size() >= capacity_) {
    known_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  oldest_first_.push_back(cgroup);
  known_.emplace(cgroup, Known{found});
}

}  // namespace twtrace::kernel
