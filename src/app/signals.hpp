// SPDX-License-Identifier: Apache-2.0
// The signals of this process: how it takes them, and how they end it if it does not react.
//
// Handlers put each signal into a pipe that the event loop reads. An ending signal (SIGINT, SIGTERM, SIGHUP) also has a
// deadline, because this process may be waiting for something else. After kPatience, a write that waits for a reader
// gives up. If anything else keeps the loop from taking the signal, the process ends by force: it restores the terminal
// and dies of the signal. While a command runs, handlers pass signals on to it at once, whatever the loop does.
//
// These are functions, because a process has only one set of signals. Single-threaded; handlers run in that thread.
#pragma once

#include <chrono>
#include <csignal>
#include <initializer_list>

#include "base/result.hpp"

namespace twtrace::app {

/// How long an ending signal waits for the loop before it ends the process by force.
inline constexpr std::chrono::milliseconds kPatience{1500};

/// Makes sure that ending signals can end this process, whoever started it. Enables SIGINT even if it is ignored, as
/// for background jobs of scripts, and unblocks all of them. SIGHUP stays ignored under nohup(1). Turns SIGPIPE into an
/// error of the write. Call this first; see Inherited for the command.
void prepare_signals();

/// Takes over the ending signals for the life of the process. Call it before starting anything that must be undone.
/// Calling it again changes nothing.
base::Result<void> take_signals_over();
/// Takes over other signals, too. The loop gets them, and they end nothing.
void take_signals_over(std::initializer_list<int> others);
/// Takes over every signal that can be passed on to a command. Without a command, SIGQUIT is an ending signal, stop
/// signals (SIGTSTP) stop, and the rest has no effect.
void take_signals_for_command();

/// Becomes readable when next_signal() has one.
int signal_fd();
/// The next signal; 0 if there is none.
int next_signal();
/// True if `number` is an ending signal.
bool is_ending(int number);
/// True if an ending signal is pending.
bool end_is_asked();

/// Stops this process as `number` (SIGTSTP, SIGTTOU) does by default. Returns after SIGCONT. If no shell is left that
/// could continue the process, the kernel does not stop it, and this returns at once.
void stop_by(int number);

/// While it lives, signals go to a running command: pending ones, and those that come until the command has ended. The
/// command gets signals from the terminal directly.
class SignalRelay {
 public:
  /// `pidfd`: a child in our process group. The caller owns it and keeps it open.
  explicit SignalRelay(int pidfd);
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;
  ~SignalRelay();
  /// The number of ending signals since construction.
  int ending_signals() const;
};

/// While it lives, no signal ends the process by force, because something must be finished.
class NoForcedEnd {
 public:
  NoForcedEnd();
  NoForcedEnd(const NoForcedEnd&) = delete;
  NoForcedEnd& operator=(const NoForcedEnd&) = delete;
  ~NoForcedEnd();
};

/// A write that may wait for a reader. After a signal, taken or not, it has kPatience left. All later writes must
/// succeed almost at once.
class OutputWait {
 public:
  OutputWait();
  OutputWait(const OutputWait&) = delete;
  OutputWait& operator=(const OutputWait&) = delete;
  ~OutputWait();
  /// True if the write must give up. Then waiting system calls are interrupted (EINTR) again and again.
  bool is_over() const;
};

/// While it lives, the last taken signal, if any, ends the process by force after kPatience.
class ForcedEnd {
 public:
  ForcedEnd();
  ForcedEnd(const ForcedEnd&) = delete;
  ForcedEnd& operator=(const ForcedEnd&) = delete;
  ~ForcedEnd();
};

/// Dies of the signal for which a write gave up, if there was one. Call it last.
void die_if_output_was_given_up();

/// Sets the function that restores the terminal before a forced end. A signal handler calls it (signal-safety(7)).
void set_rescue(void (*rescue)());

}  // namespace twtrace::app
