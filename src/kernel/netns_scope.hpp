// SPDX-License-Identifier: Apache-2.0
// Doing something inside another network namespace.
#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "kernel/netns.hpp"

namespace twtrace::kernel {

/// The calling thread is in a network namespace for the life of the scope; other threads are not affected. Must be
/// destroyed on the thread that made it, scopes in reverse order of their making. Needs CAP_SYS_ADMIN unless the thread
/// is in that namespace already. If the way back fails the process is aborted: all it would measure from then on were
/// another namespace's numbers.
class NetnsScope {
 public:
  /// kNotFound when the namespace is gone: the path is, or leads to another namespace by now. kPermission when it may
  /// not be opened or entered. Nothing is held open beyond the scope.
  static base::Result<NetnsScope> enter(const NetnsRef& ref);

  NetnsScope(NetnsScope&&) noexcept = default;
  NetnsScope& operator=(NetnsScope&&) = delete;
  ~NetnsScope();

 private:
  explicit NetnsScope(base::UniqueFd original) : original_(std::move(original)) {}

  base::UniqueFd original_;  ///< empty when there was nothing to enter
};

}  // namespace twtrace::kernel
