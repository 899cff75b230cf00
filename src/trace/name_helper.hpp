// SPDX-License-Identifier: Apache-2.0
// Looks up names for which the kernel asks for a privilege, in a process of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "kernel/container.hpp"
#include "kernel/netns.hpp"
#include "trace/helper_process.hpp"
#include "trace/name_messages.hpp"
#include "trace/patience.hpp"

namespace twtrace::trace {

/// A process that keeps the right to read (Duty::kWatch), so that the process that traces keeps no capability. It reads
/// /proc, cgroup file systems and the files of container engines, answers, and can do nothing else. It ends when this
/// object goes away or this process ends. Cannot be copied or moved: share it. Not thread-safe.
///
/// A file that it reads may never answer (NFS, FUSE). So every function waits for a second at most, and all of them
/// together for at most half of the time. After that the helper is late: it is neither asked nor waited for until it
/// has answered, and what it says then is no answer to a later question.
///
/// Every function returns nothing if the helper does not know, is late or has ended.
class NameHelper {
 public:
  /// Starts it while there is only one thread, before anything is opened that a second process must not hold. nullptr
  /// if this process has no capability that the helper would keep.
  static base::Result<std::shared_ptr<NameHelper>> start();
  NameHelper(const NameHelper&) = delete;
  NameHelper& operator=(const NameHelper&) = delete;
  ~NameHelper() = default;

  /// False once it has ended.
  bool answers() const { return process_.answers(); }
  /// Whether it cannot be asked now. What it did not answer may be asked again later.
  bool is_late();
  pid_t pid() const { return process_.pid(); }
  /// See kernel::CgroupFs::path_of_id().
  std::optional<std::string> path_of_cgroup(std::uint64_t id);
  /// See kernel::find_container().
  std::optional<kernel::ContainerFacts> container(const kernel::ContainerQuery& query);
  /// See kernel::NetnsCatalog.
  struct Found {
    /// Empty: nobody knows now.
    std::optional<std::map<std::uint32_t, kernel::NetnsRef>> namespaces;
    bool is_fresh = false;  ///< else an earlier search found it, and was late
  };
  /// Empty: it has ended.
  std::optional<Found> namespaces(kernel::NetnsSearch search);

 private:
  explicit NameHelper(HelperProcess process);
  std::optional<Fields> ask(const char* what, Fields fields);
  void tell_if_ended();

  HelperProcess process_;
  Patience patience_;
  std::optional<Fields> late_search_;  ///< what a search found too late
  bool searches_ = false;              ///< the last question was for namespaces
  bool told_late_ = false;
};

}  // namespace twtrace::trace
