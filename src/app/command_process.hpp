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

/// Checks whether execvp() would find it, and if it is a script, the program of its #! line. For a relative path or a
/// name, uses the present directory and PATH.
tl::expected<void, NotRun> find_command(const std::string& name);

/// A child that is there and has not executed its command yet. It keeps the credentials, limits and open files of the
/// moment it was made, whatever this process drops later. Ends without running anything when it is destroyed, or when
/// this process ends. Move-only.
class WaitingCommand {
 public:
  /// Makes the child in this process group with our stdin, stdout and stderr, the environment (that of `user`, when
  /// there is one) plus `variable` (NAME=VALUE), and what it is to inherit. Call it while there is one thread.
  static tl::expected<WaitingCommand, NotRun> make(const std::vector<std::string>& argv, const std::string& variable,
                                                   const Inherited& inherited, const std::optional<RunAs>& user);
  WaitingCommand(WaitingCommand&& other) noexcept;
  WaitingCommand& operator=(WaitingCommand&& other) noexcept;
  WaitingCommand(const WaitingCommand&) = delete;
  WaitingCommand& operator=(const WaitingCommand&) = delete;
  ~WaitingCommand();

 private:
  friend class CommandProcess;
  WaitingCommand() = default;

  std::string name_;       ///< argv[0]
  std::string user_name_;  ///< empty: as this process
  pid_t pid_ = -1;
  base::UniqueFd pidfd_;
  base::UniqueFd go_;      ///< a byte lets it run, the end makes it end
  base::UniqueFd report_;  ///< an Obstacle, or the end when it was executed
};

/// A running child, to which signals are passed on. Left alone on destruction: a command is never killed.
class CommandProcess {
 public:
  struct End {
    std::optional<int> exit_code;
    std::optional<int> signal;
  };

  /// Lets the command run. Returns when it has been executed, or why it was not.
  static tl::expected<CommandProcess, NotRun> start(WaitingCommand waiting);

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
