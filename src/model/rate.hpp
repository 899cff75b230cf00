// SPDX-License-Identifier: Apache-2.0
// Rates of monotonic counts.
#pragma once

#include <cstdint>

namespace twtrace::model {

/// Counts per second over an interval in seconds; 0 for an empty interval and for a count that did not grow.
inline double rate(std::uint64_t now, std::uint64_t before, double interval_s) {
  return interval_s > 0 && now > before ? static_cast<double>(now - before) / interval_s : 0;
}

}  // namespace twtrace::model
