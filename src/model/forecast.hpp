// SPDX-License-Identifier: Apache-2.0
// Forecasts a TIME_WAIT table for the next minute.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace twtrace::model {

/// How long a bucket lives unless something removes it: TCP_TIMEWAIT_LEN of include/net/tcp.h.
inline constexpr double kBucketLifetimeS = 60;
/// Rates are measured over this time.
inline constexpr double kForecastRateS = 5;

/// The end of one interval of a table.
struct TablePoint {
  double age_s = 0;               ///< how long ago the interval ended
  double length_s = 0;            ///< of the interval
  std::uint64_t created = 0;      ///< buckets created in it
  std::uint64_t refused = 0;      ///< buckets refused in it
  std::optional<double> removed;  ///< buckets removed in it; empty when the gauge before it is not known
  std::uint64_t in_use = 0;       ///< at the end of the interval
  std::uint64_t limit = 0;
};

/// What will happen to a table if buckets keep coming and going at the present rates.
struct Forecast {
  enum class State {
    kUnknown,   ///< too little is known: no limit, fewer than two seconds, or a load that has just begun or ended
    kSteady,    ///< about as many buckets come as go
    kFilling,   ///< more come than go
    kDraining,  ///< more go than come
    kFull,      ///< no place is left, or the latest refusals show that there was none
  };
  State state = State::kUnknown;
  /// kSteady: in use now. kFilling: the most in the next minute, if the limit were high enough. kDraining: what is left
  /// after a minute. kFull: the places that would have been enough and, at a steady rate, will be for the next minute.
  std::uint64_t buckets = 0;
  /// kFilling: until the first bucket is refused. kDraining: until the table is empty. Empty if that is more than a
  /// minute away.
  std::optional<double> seconds;
};

/// `points` are ascending in time and end with the present. Pure.
///
/// The forecast assumes that arrivals go on at the rate of the last seconds, as far back as they agree, and that a
/// single burst is no load. The share of buckets that lasts a whole lifetime stays the same; the others are reused,
/// recycled or purged at once. Buckets of the last minute leave in the order in which they came. Older ones leave
/// evenly over their remaining time.
Forecast forecast(const std::vector<TablePoint>& points);

}  // namespace twtrace::model
