// SPDX-License-Identifier: Apache-2.0
// From a cgroup path to the name an operator uses. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/service.hpp"
#include "kernel/container.hpp"

namespace twtrace::kernel {

/// Longer paths are first cut to their leaf end.
inline constexpr std::size_t kMaxCgroupPathBytes = 4096;

/// The service behind a cgroup path (below the root of its hierarchy), found from the root to the leaf:
///  - containers (docker, podman, containerd, cri-o, Kubernetes pods, LXC, systemd-nspawn, Cloud Foundry) and Slurm
///  jobs,
///    the outer one's name in front of the inner one's: "vm1/0123456789ab". The kind is that of the innermost;
///  - behind them the systemd unit in the innermost, "web1/nginx.service", or alone. It is found as systemd does: the
///    outermost unit, below user@UID.service the next one. A delegated unit that calls a sub-cgroup "sshd.service"
///    keeps its own name. Escapes stay (`\x2d`): `systemctl status` wants them;
///  - else kind "cgroup", name = path, "/" for the root. An empty path is kind "unknown".
/// `look_up` gives the name of a container, which is "namespace/pod/container" in a pod. Without an answer, the name is
/// the first 12 digits of its id, or "pod<first 8 of the uid>/<first 12 of the id>" in a pod. Only the outermost
/// container is looked up, because the engine of a nested container keeps its files inside the outer one, and processes
/// in there can make any cgroup. `look_up` also decides whether a cgroup that looks like that of a container is one.
/// Users choose the names. Any bytes are accepted and kept unchanged; sinks escape them.
base::Service classify_cgroup(std::string_view path, const ContainerLookup& look_up = {});

/// A process's path in one hierarchy, from the text of /proc/PID/cgroup: `controllers` is "" for cgroup v2 and
/// "name=systemd" for systemd's own v1 hierarchy. A removed cgroup loses its " (deleted)".
std::optional<std::string> process_cgroup(std::string_view text, std::string_view controllers);

}  // namespace twtrace::kernel
