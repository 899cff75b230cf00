// SPDX-License-Identifier: Apache-2.0
#include "model/forecast.hpp"

#include <algorithm>
#include <cmath>

namespace twtrace::model {
namespace {

/// Arrivals per second, refused ones included: they would take a place if there was one.
double arrival_rate(const std::vector<TablePoint>& points) {
  double arrived = 0;
  double length_s = 0;
  for (auto point = points.rbegin(); point != points.rend() && length_s < kForecastRateS; ++point) {
    arrived += static_cast<double>(point->created + point->refused);
    length_s += point->length_s;
  }
  return length_s > 0 ? arrived / length_s : 0;
}

/// Buckets that leave evenly between two moments from now on, in seconds.
struct Departure {
  double begin_s;
  double end_s;
  double buckets;

  double until(double moment_s) const {
    if (moment_s >= end_s) return buckets;
    return moment_s <= begin_s ? 0 : buckets * (moment_s - begin_s) / (end_s - begin_s);
  }
};

/// When the buckets that are there now will leave. They are `in_use` in all: where more came in the last minute than
/// are there, some went early, and all intervals are taken to have lost the same share.
std::vector<Departure> departures(const std::vector<TablePoint>& points) {
  std::vector<Departure> leaving;
  double known = 0;
  double watched_s = 0;
  for (const TablePoint& point : points) {
    const double begun_s = point.age_s + point.length_s;
    if (point.age_s >= kBucketLifetimeS || point.length_s <= 0) continue;
    const double inside = std::min(1.0, (kBucketLifetimeS - point.age_s) / point.length_s);
    const double buckets = static_cast<double>(point.created) * inside;
    leaving.push_back({std::max(0.0, kBucketLifetimeS - begun_s), kBucketLifetimeS - point.age_s, buckets});
    known += buckets;
    watched_s = std::max(watched_s, std::min(begun_s, kBucketLifetimeS));
  }
  const auto in_use = static_cast<double>(points.back().in_use);
  if (known > in_use) {
    for (Departure& departure : leaving) departure.buckets *= in_use / known;
  } else if (in_use > known) {
    // Older than what was watched, or made by timers that were set again: gone when the watched ones begin to go.
    const double left_s = kBucketLifetimeS - watched_s;
    leaving.push_back({0, left_s > 1 ? left_s : kBucketLifetimeS, in_use - known});
  }
  return leaving;
}

double left_after(const std::vector<Departure>& leaving, double in_use, double moment_s) {
  for (const Departure& departure : leaving) in_use -= departure.until(moment_s);
  return std::max(0.0, in_use);
}

}  // namespace

Forecast forecast(const std::vector<TablePoint>& points) {
  if (points.empty() || points.back().limit == 0) return {};
  const TablePoint& now = points.back();
  const double rate = arrival_rate(points);
  const auto in_use = static_cast<double>(now.in_use);
  const auto limit = static_cast<double>(now.limit);
  const double steady = rate * kBucketLifetimeS;
  Forecast result;
  result.level = static_cast<std::uint64_t>(std::llround(steady));
  if (now.in_use >= now.limit) {
    result.kind = Forecast::Kind::kFull;
    return result;
  }
  // In between two seconds the level is a straight line; after a lifetime nothing changes any more.
  const std::vector<Departure> leaving = departures(points);
  double before = in_use;
  for (double moment_s = 1; moment_s <= kBucketLifetimeS; ++moment_s) {
    const double level = left_after(leaving, in_use, moment_s) + rate * moment_s;
    if (level >= limit) {
      result.kind = Forecast::Kind::kFillsUp;
      result.seconds = moment_s - 1 + (limit - before) / (level - before);
      return result;
    }
    before = level;
  }
  result.kind = Forecast::Kind::kSteady;
  return result;
}

}  // namespace twtrace::model
