// SPDX-License-Identifier: Apache-2.0
// When a TIME_WAIT table will be full.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace twtrace::model {

/// How long a bucket lives: TCP_TIMEWAIT_LEN of include/net/tcp.h.
inline constexpr double kBucketLifetimeS = 60;
/// Arrivals are taken to go on as they did on average during this time.
inline constexpr double kForecastRateS = 5;

/// The end of one interval of a table.
struct TablePoint {
  double age_s = 0;               ///< how long ago the interval ended
  double length_s = 0;            ///< of the interval
  std::uint64_t created = 0;      ///< buckets made in it
  std::uint64_t refused = 0;      ///< and those that were not, for want of room
  std::optional<double> removed;  ///< that went away in it; empty when the gauge could not be read
  std::uint64_t in_use = 0;       ///< at its end
  std::uint64_t limit = 0;
};

/// What becomes of a table when new buckets keep coming as they do.
struct Forecast {
  enum class Kind { kUnknown, kFull, kFillsUp, kSteady };
  Kind kind = Kind::kUnknown;
  double seconds = 0;       ///< kFillsUp: until the first bucket is refused
  std::uint64_t level = 0;  ///< kSteady: buckets; kFull, kFillsUp: room that the arrivals would need
};

/// `points` are ascending in time and end with the present. Each bucket leaves 60 s after it came: those of the last
/// minute leave as they came, those older than the points spread evenly over the time that is left to them; arrivals
/// (refused ones too) go on at the rate of the last seconds. Pure.
Forecast forecast(const std::vector<TablePoint>& points);

}  // namespace twtrace::model
