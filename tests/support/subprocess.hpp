// SPDX-License-Identifier: Apache-2.0
// A child process of a test: started, fed, watched with a deadline, and never left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace twtrace::test {

using std::chrono::milliseconds;

/// Generous, because the same tests run in emulated machines.
constexpr milliseconds kDefaultDeadline{180000};

/// Calls `condition` every few milliseconds until it is true or the deadline has passed. Returns its last result.
bool wait_until(const std::function<bool()>& condition, milliseconds deadline = kDefaultDeadline);

/// A running program. Its output goes into memory files, so it never blocks on a reader. Throws std::runtime_error if
/// it cannot be started. Destruction kills and reaps it. Not thread-safe.
class Subprocess {
 public:
  /// Starts argv[0], looked up in PATH, inside the network namespace `netns_fd` if that is not negative.
  explicit Subprocess(const std::vector<std::string>& argv, int netns_fd = -1);
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  ~Subprocess();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Writes a line to its standard input.
  void write_line(const std::string& line) const;
  /// Its output so far, from the byte `begin` on.
  std::string standard_output(std::size_t begin = 0) const;
  std::string standard_error() const;
  /// True as soon as its standard output (or error) contains `text`. False at the deadline, or if it ended without it.
  bool wait_for_output(const std::string& text, milliseconds deadline = kDefaultDeadline);
  bool wait_for_error(const std::string& text, milliseconds deadline = kDefaultDeadline);
  /// Waits until it ends. Returns the exit code, or 128 + the signal that killed it; empty at the deadline.
  std::optional<int> wait(milliseconds deadline = kDefaultDeadline);

 private:
  void reap(bool block);

  base::UniqueFd input_;
  base::UniqueFd output_;
  base::UniqueFd error_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace twtrace::test
