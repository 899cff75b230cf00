// SPDX-License-Identifier: Apache-2.0
// A query about a container, and its answer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/service.hpp"

namespace twtrace::kernel {

/// Identifies a container of this host.
struct ContainerQuery {
  std::string id;                    ///< the name of its cgroup, without the engine's prefix
  std::string cgroup;                ///< path of the container's cgroup
  std::string containerd_namespace;  ///< if `id` is unique only in this namespace; else empty
  std::string pod_uid;               ///< Kubernetes; else empty
  std::optional<std::uint32_t> uid;  ///< the user whose rootless engine runs it; empty for engines of the host
  std::optional<std::uint32_t> pid;  ///< a process in it, if known
};

/// The facts about a container in the engine's files. Unknown members are empty.
struct ContainerFacts {
  std::string engine;  ///< "docker", "podman", "containerd", "cri-o"
  std::string name;    ///< in a pod: the name of the container within the pod
  base::Pod pod;
  bool sandbox = false;  ///< holds a pod's namespaces and runs nothing else

  bool operator==(const ContainerFacts&) const = default;
};

/// Empty if no engine's files know the container.
using ContainerLookup = std::function<std::optional<ContainerFacts>(const ContainerQuery&)>;

}  // namespace twtrace::kernel
