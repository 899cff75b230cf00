// SPDX-License-Identifier: Apache-2.0
// Which segments of a cgroup path are units, containers, pods or jobs. Private to this folder. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twtrace::kernel {

/// One unit, container, pod or job in a path.
struct CgroupPart {
  std::string_view kind;  ///< base::Service::kind; empty: a container if some engine knows its id
  std::string id;         ///< unit, container id, name of the machine, job with its step; empty: a pod's own cgroup
  std::string pod_uid;    ///< of "kubernetes", with dashes
  std::string containerd_namespace;
  std::size_t end = 0;  ///< of the part in the path

  bool is_unit() const { return kind == "systemd"; }
};

struct CgroupParts {
  std::vector<CgroupPart> all;       ///< from the root to the leaf
  std::optional<std::uint32_t> uid;  ///< of the user whose manager or session holds the first container; never root
};

CgroupParts split_cgroup(std::string_view path);

}  // namespace twtrace::kernel
