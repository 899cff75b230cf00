// SPDX-License-Identifier: Apache-2.0
// Processes that cannot outlive twtrace.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::demo {

/// What a child does after everything is prepared. What it owns is destroyed in the child, whether it ran or not.
using Work = std::function<void()>;

/// Drops what a process of the demo does not need once it is prepared: it serves and connects with sockets. Runs in
/// that process.
using Reduce = std::function<base::Result<void>()>;

/// The properties of a child.
struct Plan {
  std::string comm;                             ///< at most 15 bytes
  std::filesystem::path cgroup;                 ///< to join; empty: stay where twtrace is
  int netns_fd = -1;                            ///< to enter; -1: none
  std::function<base::Result<Work>()> prepare;  ///< runs in the child, before spawn() returns in the parent
  Reduce reduce = {};                           ///< runs in the child after `prepare`; empty: it keeps what it has
};

struct Pipe {
  base::UniqueFd reader;
  base::UniqueFd writer;
};

base::Result<Pipe> make_pipe();

/// Owns a forked process: killed and reaped when it goes away. The kernel kills it too when the thread that made it
/// ends, however that happens. Move-only, not thread-safe. Fork while there is only one thread.
class Child {
 public:
  /// Returns when the child is prepared, or with the error that stopped it. The child begins its work at start().
  static base::Result<Child> spawn(const Plan& plan);

  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), start_(std::move(other.start_)) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  void start();
  /// Waits for its own end instead of killing it; one that was not started ends now.
  void let_end();

 private:
  Child(pid_t pid, base::UniqueFd start) : pid_(pid), start_(std::move(start)) {}

  pid_t pid_ = -1;
  base::UniqueFd start_;
};

}  // namespace twtrace::demo
