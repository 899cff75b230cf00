// SPDX-License-Identifier: Apache-2.0
// What is asked and answered about a container.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/service.hpp"

namespace twtrace::kernel {

/// Identifies a container of this host.
struct ContainerQuery {
  std::string id;                    ///< as its cgroup is called, without the engine's prefix
  std::string cgroup;                ///< path of the container's cgroup
  std::string containerd_namespace;  ///< when `id` is unique in it only; else empty
  std::string pod_uid;               ///< Kubernetes; else empty
  std::optional<std::uint32_t> uid;  ///< whose rootless engine runs it; empty for engines of the host
  std::optional<std::uint32_t> pid;  ///< a process in it, when one is known
};

/// What the engine's files say about a container. A member that is not known is empty.
struct ContainerFacts {
  std::string engine;  ///< "docker", "podman", "containerd", "cri-o"
  std::string name;    ///< in a pod: of the container in the pod
  base::Pod pod;
  bool sandbox = false;  ///< holds a pod's namespaces and runs nothing else

  bool operator==(const ContainerFacts&) const = default;
};

/// Nothing when no engine's files know the container.
using ContainerLookup = std::function<std::optional<ContainerFacts>(const ContainerQuery&)>;

}  // namespace twtrace::kernel
