// SPDX-License-Identifier: Apache-2.0
// Waits for the next interval, a deadline, the ring's watermark, a signal, a key, a request, or the end of a child.
#pragma once

#include <chrono>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::app {

/// Waits for one thing at a time. Takes over the ending signals (signals.hpp) for the life of the process. Make only
/// one, before anything is attached. Single-threaded.
class EventLoop {
 public:
  enum class Wake {
    kTimer,
    kRing,     ///< or a second has passed: trace::Session::drain() is due
    kStop,     ///< an ending signal
    kInput,    ///< a key, or the terminal is gone
    kResize,   ///< SIGWINCH
    kSuspend,  ///< SIGTSTP: the caller restores the terminal, then calls stop_by()
    kResume,   ///< SIGCONT: the terminal may be in any state
    kDeadline,
    kChild,   ///< the child has ended and can be reaped
    kServer,  ///< the server has something to do
  };

  static base::Result<EventLoop> create();

  /// Also takes over SIGWINCH, SIGTSTP and SIGCONT, and waits for keys on `input` (a descriptor that the caller owns
  /// and keeps open).
  void watch_terminal(int input);
  /// Stops this process like a background job (SIGTTOU). Returns after a signal, or after a second if the kernel does
  /// not stop it, see stop_by().
  void stop_in_background();

  /// Makes the next kTimer come `interval` after the last one, without drift.
  base::Result<void> set_interval(std::chrono::duration<double> interval);

  /// Makes kDeadline come once, `after` from now. Replaces an earlier deadline.
  base::Result<void> set_deadline(std::chrono::duration<double> after);

  /// Also waits for the end of a child. The caller owns `pidfd` and keeps it open. -1 stops watching.
  void watch_child(int pidfd) { child_ = pidfd; }

  /// Also waits for a server. The caller owns `fd` and keeps it open.
  void watch_server(int fd) { server_ = fd; }

  /// Waits until something happens. If several things happen, the order is: signal, child, key, deadline, timer,
  /// server, ring. After a kTimer the server comes first: else nobody would be served where the work of an interval
  /// takes longer than the interval.
  /// Spurious wakes are possible; then there is nothing to read.
  base::Result<Wake> wait(int ring_fd);

 private:
  base::UniqueFd timer_;
  base::UniqueFd deadline_;
  int input_ = -1;
  int child_ = -1;
  int server_ = -1;
  bool timer_was_last_ = false;
};

}  // namespace twtrace::app
