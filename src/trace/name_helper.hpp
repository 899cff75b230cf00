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

namespace twtrace::trace {

/// A process that keeps the right to read (Duty::kWatch), so that the process that traces keeps no capability. It reads
/// /proc, cgroup file systems and the files of container engines, answers, and can do nothing else. It ends when this
/// object goes away or this process ends. Cannot be copied or moved: share it. Not thread-safe.
///
/// Every function returns nothing if the helper does not know, or has ended. Once answers() is false, the caller looks
/// for itself.
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
  /// See kernel::CgroupFs::path_of_id().
  std::optional<std::string> path_of_cgroup(std::uint64_t id);
  /// See kernel::find_container().
  std::optional<kernel::ContainerFacts> container(const kernel::ContainerQuery& query);
  /// See kernel::NetnsCatalog.
  std::optional<std::map<std::uint32_t, kernel::NetnsRef>> namespaces(kernel::NetnsSearch search);

 private:
  explicit NameHelper(HelperProcess process) : process_(std::move(process)) {}
  std::optional<Fields> ask(const char* what, Fields fields);

  HelperProcess process_;
};

}  // namespace twtrace::trace
