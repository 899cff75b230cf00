// SPDX-License-Identifier: Apache-2.0
// How long one may wait for somebody who may be slow.
#pragma once

#include <algorithm>
#include <chrono>

namespace twtrace::trace {

/// Lets somebody wait for at most `most` at once, and over a long time for at most half of it. Pure. Not thread-safe.
class Patience {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit constexpr Patience(Duration most) : most_(most), left_(most) {}

  /// How long one may wait now. `now`: of any clock that does not go back.
  constexpr Duration left(Duration now) const { return std::min(most_, left_ + (now - at_) / 2); }
  constexpr void waited(Duration begin, Duration end) {
    left_ = std::max(Duration(0), left(begin) - (end - begin));
    at_ = end;
  }

 private:
  Duration most_;
  Duration left_;
  Duration at_{0};
};

}  // namespace twtrace::trace
