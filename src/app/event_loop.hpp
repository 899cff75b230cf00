// SPDX-License-Identifier: Apache-2.0
// Waiting for the next interval, a deadline, the ring's watermark, a signal, a key, or the end of a child.
#pragma once

#include <chrono>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::app {

/// Waits for one thing at a time. Takes the ending signals over (signals.hpp) for the life of the process: make one,
/// before anything is attached. Single-threaded.
class EventLoop {
 public:
  enum class Wake {
    kTimer,
    kRing,
    kStop,     ///< an ending signal
    kInput,    ///< a key, or the terminal has gone
    kResize,   ///< SIGWINCH
    kSuspend,  ///< SIGTSTP: the caller calls stop_by() when the terminal is as it was
    kResume,   ///< SIGCONT: the terminal may be in any state
    kDeadline,
    kChild,  ///< it has ended, and can be waited for
  };

  static base::Result<EventLoop> create();

  /// Takes SIGWINCH, SIGTSTP and SIGCONT over, too, and waits for what is typed on `input` (a descriptor that the
  /// caller owns and keeps open).
  void watch_terminal(int input);
  /// Stops this process as one in the background is stopped (SIGTTOU); returns after a signal, or after a second when
  /// the kernel stops nobody, see stop_by().
  void stop_in_background();

  /// The next kTimer comes `interval` after the last one, without drift.
  base::Result<void> set_interval(std::chrono::duration<double> interval);

  /// kDeadline comes once, `after` from now. Replaces an earlier deadline.
  base::Result<void> set_deadline(std::chrono::duration<double> after);

  /// Waits for the child's end, too. `pidfd` is the caller's, who keeps it open; -1 ends it.
  void watch_child(int pidfd) { child_ = pidfd; }

  /// Waits until something happens; a signal wins over the child, that over keys, these over the deadline, that over
  /// the timer, the timer over the ring. Spurious wakes are possible: what is not there cannot be read.
  base::Result<Wake> wait(int ring_fd);

 private:
  base::UniqueFd timer_;
  base::UniqueFd deadline_;
  int input_ = -1;
  int child_ = -1;
};

}  // namespace twtrace::app
