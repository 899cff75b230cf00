// SPDX-License-Identifier: Apache-2.0
// A service: what an operator calls the thing that a cgroup holds.
#pragma once

#include <compare>
#include <string>

namespace twtrace::base {

/// The service of a process, derived from its cgroup path (kernel/cgroup.hpp). `kind` is one of
/// "systemd" (service, scope or user unit), "docker", "containerd", "cri-o", "podman", "kubernetes", "cgroup" (none of
/// these: `name` is the path), "unknown" (the path is not known). `cgroup` is the path under the hierarchy's root.
struct Service {
  std::string kind = "unknown";
  std::string name;
  std::string cgroup;
  std::string pod;        ///< Kubernetes pod uid, else empty
  std::string container;  ///< container id (full), else empty

  auto operator<=>(const Service&) const = default;
};

}  // namespace twtrace::base
