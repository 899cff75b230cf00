// SPDX-License-Identifier: Apache-2.0
// Finds the name of a container in the files of its engine, and remembers it.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "kernel/container.hpp"

namespace twtrace::kernel {

/// Longer files of an engine are skipped.
inline constexpr std::size_t kMaxContainerFileBytes = 1024 * 1024;

/// Looks a container up in files below `root` ("/" on this machine), where every engine keeps them by default and where
/// its settings say otherwise; then where the process that supervises the container has its bundle. No socket, no API.
///  - docker: config.v2.json of the container;
///  - podman, cri-o: containers.json and the bundle of containers/storage;
///  - containerd: annotations of the bundle (CRI, nerdctl);
///  - Kubernetes: besides these, the names of log directories, which tell pod and container from their ids.
/// A user's container (`query.uid`) is looked up only in that user's files. So nobody can imitate a container of the
/// host by the name of a cgroup. The result depends only on the query and the files, and nothing is kept, so another
/// process may call this. Reading docker's and podman's files needs root or CAP_DAC_READ_SEARCH. Unreadable files give
/// no answer.
std::optional<ContainerFacts> find_container(const std::filesystem::path& root, const ContainerQuery& query);

/// Remembers the answer for each container, so that it looks up each one only once. One without an answer may still be
/// coming up, so it is looked up again ever less often: when it is asked for the second, fourth, eighth time. Bounded:
/// it forgets the oldest containers, and looks them up again if they come again. A directory of cgroups may only look
/// like one of containerd; it is given up after a few cgroups that are not containers. Not thread-safe.
class ContainerNames {
 public:
  /// The number of failed look-ups after which a directory is given up.
  static constexpr int kMostInVain = 32;

  explicit ContainerNames(ContainerLookup look_up, std::size_t capacity = 4096)
      : look_up_(std::move(look_up)), capacity_(capacity) {}

  std::optional<ContainerFacts> look_up(const ContainerQuery& query);

 private:
  struct Known {
    std::optional<ContainerFacts> facts;
    std::uint32_t asked = 1;  ///< how often, while there were no facts
  };

  void keep(const std::string& cgroup, const std::optional<ContainerFacts>& found);

  ContainerLookup look_up_;
  std::size_t capacity_;
  std::unordered_map<std::string, Known> known_;  ///< by the container's cgroup
  std::deque<std::string> oldest_first_;
  std::unordered_map<std::string, int> in_vain_;  ///< by ContainerQuery::containerd_namespace
};

}  // namespace twtrace::kernel
