// SPDX-License-Identifier: Apache-2.0
// Waiting for the next interval, a deadline, the ring's watermark, a signal, a key, or the end of a child.
#pragma once

#include <chrono>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::app {

/// Takes SIGINT, SIGTERM and, unless this process was started with it ignored, SIGHUP over and ignores SIGPIPE, for the
/// life of the process: make one, before anything is attached. Single-threaded.
class EventLoop {
 public:
  enum class Wake {
    kTimer,
    kRing,
    kStop,
    kInput,    ///< a key, or the terminal has gone
    kResize,   ///< SIGWINCH
    kSuspend,  ///< SIGTSTP: the caller calls stop_self() when the terminal is as it was
    kDeadline,
    kChild,  ///< it has ended, and can be waited for
  };

  /// A signal that was taken.
  struct Signal {
    int number = 0;
    bool from_kernel = false;  ///< typed at the terminal: its whole foreground process group has got it
  };

  static base::Result<EventLoop> create();
  /// Holds those signals back until a loop takes them over: for what must be undone and is begun before there is one.
  static void hold_signals();

  /// Takes SIGWINCH and SIGTSTP over, too, and waits for what is typed on `input` (a descriptor that the caller owns
  /// and keeps open).
  base::Result<void> watch_terminal(int input);
  /// Stops this process as SIGTSTP does by default; returns after SIGCONT.
  void stop_self();

  /// The next kTimer comes `interval` after the last one, without drift.
  base::Result<void> set_interval(std::chrono::duration<double> interval);

  /// kDeadline comes once, `after` from now. Replaces an earlier deadline.
  base::Result<void> set_deadline(std::chrono::duration<double> after);

  /// Waits for the child's end, too. `pidfd` is the caller's, who keeps it open; -1 ends it.
  void watch_child(int pidfd) { child_ = pidfd; }

  /// After kStop: which signal it was. Without it the next wait() says kStop again.
  Signal take_signal();

  /// Waits until something happens; a signal wins over the child, that over keys, these over the deadline, that over
  /// the timer, the timer over the ring. Spurious wakes are possible: what is not there cannot be read.
  base::Result<Wake> wait(int ring_fd);

 private:
  Wake signalled();

  base::UniqueFd signals_;
  base::UniqueFd timer_;
  base::UniqueFd deadline_;
  bool watches_terminal_ = false;
  int input_ = -1;
  int child_ = -1;
};

}  // namespace twtrace::app
