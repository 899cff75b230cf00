// SPDX-License-Identifier: Apache-2.0
// The command that a capture is taken around: run as if twtrace were not there.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/run_as.hpp"
#include "app/signals.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::app {

/// What a command inherits and twtrace changes for itself.
struct Inherited {
  sigset_t mask{};
  std::array<struct sigaction, NSIG> actions{};  ///< by the signal's number
  rlimit locked_memory{};                        ///< RLIMIT_MEMLOCK, which libbpf raises before 5.11
  rlimit open_files{};                           ///< RLIMIT_NOFILE, which tracing raises to the hard limit

  /// As this process has them now.
  static Inherited take();
  /// Back to how they were.
  void restore() const;
};

/// Why a command does not run, and the exit code that says so: 127 it is not there, 126 it cannot be executed, 125 it
/// is twtrace that failed.
struct NotRun {
  int exit_code = 125;
  base::Error error;
};

/// Whether execvp() would find it. With a relative path or name the directory and PATH are those of now.
tl::expected<void, NotRun> find_command(const std::string& name);

/// A running child, to which signals are passed on. Left alone on destruction: a command is never killed.
class CommandProcess {
 public:
  struct End {
    std::optional<int> exit_code;
    std::optional<int> signal;
  };

  /// Starts argv in this process group with our stdin, stdout and stderr, the environment (that of `user`, when there
  /// is one) plus `variable` (NAME=VALUE), and what it is to inherit. Returns when it has been executed, or why it was
  /// not.
  static tl::expected<CommandProcess, NotRun> start(const std::vector<std::string>& argv, const std::string& variable,
                                                    const Inherited& inherited, const std::optional<RunAs>& user);

  /// Readable when it has ended.
  int pidfd() const { return pidfd_.get(); }
  /// Ending signals that were passed on to it.
  int ending_signals() const { return relay_->ending_signals(); }
  /// Waits for its end.
  End wait() const;

 private:
  CommandProcess(pid_t pid, base::UniqueFd pidfd, std::unique_ptr<SignalRelay> relay)
      : pid_(pid), pidfd_(std::move(pidfd)), relay_(std::move(relay)) {}

  pid_t pid_ = -1;
  base::UniqueFd pidfd_;
  std::unique_ptr<SignalRelay> relay_;  ///< ends before the descriptor
};

}  // namespace twtrace::app
