// SPDX-License-Identifier: Apache-2.0
// From a cgroup path to the name an operator uses. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/service.hpp"

namespace twtrace::kernel {

/// Longer paths are cut to their leaf end before they are looked at.
inline constexpr std::size_t kMaxCgroupPathBytes = 4096;

/// The service behind a cgroup path (below the root of its hierarchy). First match wins:
///  - a Kubernetes pod anywhere in the path: kind "kubernetes", name "pod<first 8 of the uid>/<first 12 of the
///  container
///    id>" (no slash part for the pod's own cgroup), pod = uid with dashes;
///  - a container of docker, containerd (CRI, nerdctl, ctr), cri-o, podman: name = first 12 of its id. The innermost
///    pod or container counts; units inside a container never rename it;
///  - a systemd unit, found as systemd does: the outermost unit, below user@UID.service the next one. A delegated unit
///    that calls a sub-cgroup "sshd.service" keeps its own name. Escapes stay (`\x2d`): `systemctl status` wants them;
///  - else kind "cgroup", name = path, "/" for the root. An empty path is kind "unknown".
/// The names are chosen by users: any bytes are accepted and kept as they are, sinks escape them.
base::Service classify_cgroup(std::string_view path);

/// A process's path in one hierarchy, from the text of /proc/PID/cgroup: `controllers` is "" for cgroup v2 and
/// "name=systemd" for systemd's own v1 hierarchy. A removed cgroup loses its " (deleted)".
std::optional<std::string> process_cgroup(std::string_view text, std::string_view controllers);

}  // namespace twtrace::kernel
