// SPDX-License-Identifier: Apache-2.0
// Parses the files of container engines. Private to this folder. Pure.
//
// Whoever starts a container chooses the contents of these files. A name counts as missing if it is empty, longer than
// kMaxContainerNameBytes, or contains a '/' (which separates names) or a NUL. Other bytes are kept unchanged. Text that
// is not JSON, or JSON of another form, gives no answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/container.hpp"

namespace twtrace::kernel {

/// The longest names of engines are those of Kubernetes pods: 253 bytes.
inline constexpr std::size_t kMaxContainerNameBytes = 255;

/// docker: config.v2.json in the container's directory.
std::optional<ContainerFacts> docker_facts(std::string_view text);

/// An OCI bundle's config.json.
struct Bundle {
  ContainerFacts facts;           ///< from its annotations, which containerd's CRI plugin, cri-o and nerdctl write
  std::string docker_containers;  ///< docker's directory of all containers, if docker made the bundle
};
std::optional<Bundle> parse_bundle(std::string_view text);

/// containers/storage (podman, cri-o): the name that containers.json gives to the container with this id.
std::optional<std::string> storage_name(std::string_view text, std::string_view id);

/// docker's /etc/docker/daemon.json: the data root, if it names one.
std::optional<std::string> docker_data_root(std::string_view text);

/// The value of a key at the start of a line of TOML: `key = "value"`.
std::optional<std::string> toml_string(std::string_view text, std::string_view key);

/// Kubernetes: the pod whose logs are in a directory of /var/log/pods, "<namespace>_<pod>_<uid>".
std::optional<base::Pod> pod_of_log_directory(std::string_view name);

/// Kubernetes: what a link in /var/log/containers, "<pod>_<namespace>_<container>-<id>.log", says about the container
/// with this id.
std::optional<ContainerFacts> facts_of_log_link(std::string_view name, std::string_view id);

/// The command line of the process that supervises a container's first process, in the form of /proc/PID/cmdline.
struct Supervisor {
  std::string bundle;    ///< conmon: path of the bundle
  std::string name;      ///< conmon: the container's name
  bool is_shim = false;  ///< containerd's: its working directory is the bundle, or that of the pod's sandbox beside it
};
std::optional<Supervisor> parse_supervisor(std::string_view cmdline, std::string_view id);

}  // namespace twtrace::kernel
