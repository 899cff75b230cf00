// SPDX-License-Identifier: Apache-2.0
#include "demo/pace.hpp"

#include <algorithm>
#include <cmath>

namespace twtrace::demo {

std::uint64_t due(const Pace& pace, double elapsed_s) {
  double active_s = std::max(0.0, elapsed_s - pace.first_s);
  if (pace.length_s > 0) {
    const double waves = pace.period_s > 0 ? std::floor(active_s / pace.period_s) : 0;
    active_s = waves * pace.length_s + std::min(pace.length_s, active_s - waves * pace.period_s);
  }
  return static_cast<std::uint64_t>(active_s * pace.per_s);
}

}  // namespace twtrace::demo
