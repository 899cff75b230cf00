// SPDX-License-Identifier: Apache-2.0
// The signals of this process: what they ask for, and how they end it when nobody listens.
//
// Handlers put each signal into a pipe that the event loop reads. An ending signal (SIGINT, SIGTERM, SIGHUP) has a
// deadline besides, because this process may be waiting for somebody else. After kPatience a write that waits for a
// reader is given up. What else keeps the loop from taking the signal is ended by force: the process gives the terminal
// back and dies of the signal. While a command runs, its signals are passed on at once, whatever the loop does.
//
// A process has one set of signals, so these are functions. Single-threaded; handlers run in that thread.
#pragma once

#include <chrono>
#include <csignal>
#include <initializer_list>

#include "base/result.hpp"

namespace twtrace::app {

/// How long an ending signal waits for the loop before it ends the process by force.
inline constexpr std::chrono::milliseconds kPatience{1500};

/// Lets ending signals end this process again, whoever started it: SIGINT also where it is ignored, as it is for jobs
/// in the background of scripts, and all of them where they are blocked. SIGHUP stays ignored: that is nohup(1). A
/// reader that goes away becomes an error of the write instead of SIGPIPE. Call first; see Inherited for the command.
void prepare_signals();

/// Takes the ending signals over, for the life of the process. Call it before anything is begun that must be undone.
/// Calling it again changes nothing.
base::Result<void> take_signals_over();
/// Takes others over, too: they are told, and end nothing.
void take_signals_over(std::initializer_list<int> others);
/// Takes over whatever can be passed on to a command. Without a command SIGQUIT is an ending signal, stops
/// (SIGTSTP) stop, and the rest has no effect.
void take_signals_for_command();

/// Readable when next_signal() has one.
int signal_fd();
/// The next signal that came; 0 when none waits.
int next_signal();
/// Whether `number` asks for the end.
bool is_ending(int number);
/// Whether an ending signal waits.
bool end_is_asked();

/// Stops this process as `number` (SIGTSTP, SIGTTOU) does by default; returns after SIGCONT. The kernel stops nobody
/// when no shell is left that could continue it: then it returns at once.
void stop_by(int number);

/// While it lives, signals go to a running command: those that wait, and those that come until it has ended. What is
/// typed at the terminal it gets from there.
class SignalRelay {
 public:
  /// `pidfd`: a child in our process group; the caller's, who keeps it open.
  explicit SignalRelay(int pidfd);
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;
  ~SignalRelay();
  /// Ending signals since it was made.
  int ending_signals() const;
};

/// While it lives, no signal ends the process by force: something must be finished.
class NoForcedEnd {
 public:
  NoForcedEnd();
  NoForcedEnd(const NoForcedEnd&) = delete;
  NoForcedEnd& operator=(const NoForcedEnd&) = delete;
  ~NoForcedEnd();
};

/// A write that may wait for a reader. After a signal, taken or not, it has kPatience left; all that follow have to
/// succeed almost at once.
class OutputWait {
 public:
  OutputWait();
  OutputWait(const OutputWait&) = delete;
  OutputWait& operator=(const OutputWait&) = delete;
  ~OutputWait();
  /// Whether to give up. System calls that wait are interrupted (EINTR) then, again and again.
  bool is_over() const;
};

/// While it lives, the signal that was taken last ends the process by force after kPatience, if there was one.
class ForcedEnd {
 public:
  ForcedEnd();
  ForcedEnd(const ForcedEnd&) = delete;
  ForcedEnd& operator=(const ForcedEnd&) = delete;
  ~ForcedEnd();
};

/// Dies of the signal for which a write was given up, if there was one. Call it last.
void die_if_output_was_given_up();

/// Called before a forced end, in a signal handler (signal-safety(7)): gives the terminal back.
void set_rescue(void (*rescue)());

}  // namespace twtrace::app
