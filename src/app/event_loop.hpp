// SPDX-License-Identifier: Apache-2.0
// Waiting for the next interval, the ring's watermark, or a signal to end.
#pragma once

#include <chrono>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::app {

/// Takes SIGINT, SIGTERM and SIGHUP over and ignores SIGPIPE, for the life of the process: make one, before anything
/// is attached. Single-threaded.
class EventLoop {
 public:
  enum class Wake { kTimer, kRing, kStop };

  static base::Result<EventLoop> create();

  /// The next kTimer comes `interval` after the last one, without drift.
  base::Result<void> set_interval(std::chrono::nanoseconds interval);

  /// Waits until something happens; a signal wins over the timer, the timer over the ring.
  base::Result<Wake> wait(int ring_fd);

 private:
  base::UniqueFd signals_;
  base::UniqueFd timer_;
};

}  // namespace twtrace::app
