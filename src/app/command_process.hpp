// SPDX-License-Identifier: Apache-2.0
// The captured command. It runs as if twtrace were not there.
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

/// The state that a command inherits and that twtrace changes for itself.
struct Inherited {
  sigset_t mask{};
  std::array<struct sigaction, NSIG> actions{};  ///< by the signal's number
  rlimit locked_memory{};                        ///< RLIMIT_MEMLOCK, which libbpf raises before 5.11
  rlimit open_files{};                           ///< RLIMIT_NOFILE, which tracing raises to the hard limit

  /// Reads the present state of this process.
  static Inherited take();
  /// Restores it.
  void restore() const;
};

/// Why a command does not run, and the exit code: 127 if it does not exist, 126 if it cannot be executed, 125 if
/// twtrace failed.
struct NotRun {
  int exit_code = 125;
  base::Error error;
};

/// Checks whether execvp() would find it. For a relative path or a name, uses the present directory and PATH.
tl::expected<void, NotRun> find_command(const std::string& name);

/// A running child that gets our signals. Destruction leaves it alone, because twtrace never kills a command.
class CommandProcess {
 public:
  struct End {
    std::optional<int> exit_code;
    std::optional<int> signal;
  };

  /// Starts argv in this process group, with our stdin, stdout and stderr, the inherited state, and the environment
  /// (that of `user`, if given) plus `variable` (NAME=VALUE). Returns when it has been executed, or why it was not.
  static tl::expected<CommandProcess, NotRun> start(const std::vector<std::string>& argv, const std::string& variable,
                                                    const Inherited& inherited, const std::optional<RunAs>& user);

  /// Becomes readable when the command has ended.
  int pidfd() const { return pidfd_.get(); }
  /// The number of ending signals passed on to it.
  int ending_signals() const { return relay_->ending_signals(); }
  /// Waits until it ends.
  End wait() const;

 private:
  CommandProcess(pid_t pid, base::UniqueFd pidfd, std::unique_ptr<SignalRelay> relay)
      : pid_(pid), pidfd_(std::move(pidfd)), relay_(std::move(relay)) {}

  pid_t pid_ = -1;
  base::UniqueFd pidfd_;
  std::unique_ptr<SignalRelay> relay_;  ///< declared after the descriptor, so it ends first
};

}  // namespace twtrace::app
