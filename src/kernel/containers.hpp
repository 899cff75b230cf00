// SPDX-License-Identifier: Apache-2.0
// What people call a container: found in the files of its engine, remembered.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "kernel/container.hpp"

namespace twtrace::kernel {

/// Longer files of an engine are not read.
inline constexpr std::size_t kMaxContainerFileBytes = 1024 * 1024;

/// Looks a container up in files below `root` ("/" on this machine), where every engine keeps them by default and where
/// its settings say otherwise; then where the process that supervises the container has its bundle. No socket, no API.
///  - docker: config.v2.json of the container;
///  - podman, cri-o: containers.json and the bundle of containers/storage;
///  - containerd: annotations of the bundle (CRI, nerdctl);
///  - Kubernetes: besides these, the names of log directories, which tell pod and container from their ids.
/// A container of a user's (`query.uid`) is looked up among that user's files only, so that nobody can pass for a
/// container of the host by the name of a cgroup. Depends on the query and the files alone and keeps nothing, so it can
/// be called in another process. Reading docker's and podman's files takes root, or CAP_DAC_READ_SEARCH; what cannot be
/// read answers nothing.
std::optional<ContainerFacts> find_container(const std::filesystem::path& root, const ContainerQuery& query);

/// Remembers what a look-up said about each container, so that each is looked up once, when it is first met. Bounded:
/// of more containers the oldest are forgotten, and looked up again when they are met again. A directory of cgroups
/// that only may be containerd's is given up after a few that are not. Not thread-safe.
class ContainerNames {
 public:
  /// Look-ups in vain after which a directory is given up.
  static constexpr int kMostInVain = 32;

  explicit ContainerNames(ContainerLookup look_up, std::size_t capacity = 4096)
      : look_up_(std::move(look_up)), capacity_(capacity) {}

  std::optional<ContainerFacts> look_up(const ContainerQuery& query);

 private:
  void keep(const std::string& cgroup, const std::optional<ContainerFacts>& found);

  ContainerLookup look_up_;
  std::size_t capacity_;
  std::unordered_map<std::string, std::optional<ContainerFacts>> known_;  ///< by the container's cgroup
  std::deque<std::string> oldest_first_;
  std::unordered_map<std::string, int> in_vain_;  ///< by ContainerQuery::containerd_namespace
};

}  // namespace twtrace::kernel
