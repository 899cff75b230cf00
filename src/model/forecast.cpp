// SPDX-License-Identifier: Apache-2.0
#include "model/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "model/fill.hpp"

namespace twtrace::model {
namespace {

/// Rates are measured over this many windows. If an interval is longer than a window, over fewer but longer ones.
constexpr std::size_t kWindows = 5;
constexpr std::size_t kFewestWindows = 3;
constexpr double kWindowS = kForecastRateS / kWindows;
/// A smaller share of the table does not count as a change.
constexpr double kNoise = 0.1;
constexpr double kLeastNoise = 0.01;
/// If the table is at least this full now, refusals of the last interval show that it was full. Some buckets may have
/// left between the last refusal and the reading of the gauge.
constexpr double kFullShare = 0.95;
constexpr double kEmptyShare = 0.01;

/// Arrivals are created and refused buckets: those would take a place if there were one. Growth is arrivals minus
/// removals.
struct Window {
  double length_s = 0;
  double arrivals = 0;
  double growth = 0;
  bool growth_known = true;
};

/// The last windows, newest first.
std::vector<Window> last_windows(const std::vector<TablePoint>& points) {
  std::vector<Window> windows;
  Window window;
  double total_s = 0;
  const auto enough = [&] { return windows.size() >= kFewestWindows && total_s >= kForecastRateS; };
  for (auto point = points.rbegin(); point != points.rend() && !enough(); ++point) {
    const auto arrivals = static_cast<double>(point->created + point->refused);
    window.length_s += point->length_s;
    window.arrivals += arrivals;
    window.growth += arrivals - point->removed.value_or(0);
    window.growth_known = window.growth_known && point->removed;
    if (window.length_s < kWindowS) continue;
    total_s += window.length_s;
    windows.push_back(std::exchange(window, {}));
  }
  return windows;
}

/// Per second, in the last windows.
struct Rates {
  double arrivals = 0;      ///< as usual
  double growth = 0;        ///< as usual
  double least_growth = 0;  ///< of any window
  Window newest;
};

/// Empty if too little was seen to tell a burst from a load, or arrivals from departures.
std::optional<Rates> recent_rates(const std::vector<TablePoint>& points) {
  const std::vector<Window> windows = last_windows(points);
  std::vector<double> arrivals;
  std::vector<double> growth;
  double total = 0;
  double total_s = 0;
  for (const Window& window : windows) {
    arrivals.push_back(window.arrivals / window.length_s);
    if (window.growth_known) growth.push_back(window.growth / window.length_s);
    total += window.arrivals;
    total_s += window.length_s;
  }
  if (windows.size() < 2 || growth.empty()) return {};
  std::sort(arrivals.begin(), arrivals.end());
  std::sort(growth.begin(), growth.end());
  // The median ignores a burst, even one that falls into two windows. With fewer windows the smallest value does the
  // same.
  const double median = windows.size() < kWindows ? arrivals.front() : arrivals[kWindows / 2];
  const double noise = kLeastNoise * static_cast<double>(points.back().in_use);
  const double least = std::abs(growth.front()) <= noise ? 0 : growth.front();
  return Rates{std::min(median, total / total_s), growth[growth.size() / 2], least, windows.front()};
}

/// Buckets that leave evenly between two moments, given in seconds from now.
struct Departure {
  double begin_s;
  double end_s;
  double buckets;

  double until(double moment_s) const {
    if (moment_s >= end_s) return buckets;
    return moment_s <= begin_s ? 0 : buckets * (moment_s - begin_s) / (end_s - begin_s);
  }
};

/// When the `buckets` that came in the interval leave. Only those of the last minute.
Departure departure(const TablePoint& point, double buckets) {
  const double begun_s = point.age_s + point.length_s;
  const double inside = std::min(1.0, (kBucketLifetimeS - point.age_s) / point.length_s);
  return {std::max(0.0, kBucketLifetimeS - begun_s), kBucketLifetimeS - point.age_s, buckets * inside};
}

/// The points of the last minute.
std::vector<TablePoint> last_minute(const std::vector<TablePoint>& points) {
  std::vector<TablePoint> last;
  std::copy_if(points.begin(), points.end(), std::back_inserter(last),
               [](const TablePoint& point) { return point.age_s < kBucketLifetimeS && point.length_s > 0; });
  return last;
}

/// The table of the next minute.
class Course {
 public:
  /// With `refused`, buckets refused in the last minute count as if they had got a place.
  Course(const std::vector<TablePoint>& points, const Rates& rates, bool refused)
      : in_use_(static_cast<double>(points.back().in_use)) {
    const std::vector<TablePoint> minute = last_minute(points);
    double watched_s = 0;
    double created = 0;
    for (const TablePoint& point : minute) {
      watched_s = std::max(watched_s, std::min(point.age_s + point.length_s, kBucketLifetimeS));
      leaving_.push_back(departure(point, static_cast<double>(point.created)));
      created += leaving_.back().buckets;
    }
    // A table that has room grows if it does so in every window: it may have filled a moment ago, and be level now.
    const double growth = refused ? rates.growth : rates.least_growth;
    const double lasting = lasting_share(created, kBucketLifetimeS - watched_s, rates.arrivals, growth);
    for (Departure& departure : leaving_) departure.buckets *= lasting;
    // The others are older than the first point, or their timers were set again.
    if (const double others = in_use_ - created * lasting; others > 0) {
      leaving_.push_back(
          {0, watched_s < kBucketLifetimeS - 1 ? kBucketLifetimeS - watched_s : kBucketLifetimeS, others});
    }
    if (refused) {
      for (const TablePoint& point : minute) {
        leaving_.push_back(departure(point, lasting * static_cast<double>(point.refused)));
        in_use_ += leaving_.back().buckets;
      }
    }
    // A trend is made of every table in every sample, and most tables are idle.
    std::erase_if(leaving_, [](const Departure& departure) { return departure.buckets == 0; });
    growth_ = rates.arrivals * lasting;
  }

  double at(double moment_s) const {
    double left = 0;
    for (const Departure& departure : leaving_) left += departure.until(moment_s);
    return std::max(0.0, in_use_ - left) + growth_ * moment_s;
  }

 private:
  /// The share of arrivals that stays for a whole lifetime. The others are reused, recycled or purged earlier.
  ///
  /// If the last minute was watched from its beginning, this share of the buckets `created` in it is there now. If not,
  /// `unwatched_s` of it are missing, and so are the arrivals of the older buckets. Those are assumed to leave evenly
  /// in as many seconds. The growth is then the arrivals that stay minus the departures.
  double lasting_share(double created, double unwatched_s, double arrivals, double growth) const {
    const double would_be = created + arrivals * unwatched_s;
    if (would_be <= 0) return 1;
    return std::clamp((in_use_ + growth * unwatched_s) / would_be, 0.0, 1.0);
  }

  double in_use_;
  double growth_ = 0;  ///< arrivals per second that stay
  std::vector<Departure> leaving_;
};

double most(const Course& course) {
  double most = 0;
  for (double moment_s = 0; moment_s <= kBucketLifetimeS; ++moment_s) most = std::max(most, course.at(moment_s));
  return most;
}

/// The first moment at which `reached` is true, with fractions of a second. The level is a straight line between two
/// seconds.
template <class Reached>
std::optional<double> first_moment(const Course& course, double wanted, Reached reached) {
  for (double moment_s = 1; moment_s <= kBucketLifetimeS; ++moment_s) {
    const double level = course.at(moment_s);
    if (!reached(level)) continue;
    const double before = course.at(moment_s - 1);
    return level == before ? moment_s : moment_s - std::clamp((level - wanted) / (level - before), 0.0, 1.0);
  }
  return {};
}

std::uint64_t rounded(double buckets) { return static_cast<std::uint64_t>(std::llround(buckets)); }

/// At the moment, or a moment ago.
bool has_no_room(const TablePoint& now) {
  if (is_full(now.in_use, now.limit)) return true;
  return now.refused != 0 && static_cast<double>(now.in_use) >= kFullShare * static_cast<double>(now.limit);
}

}  // namespace

Forecast forecast(const std::vector<TablePoint>& points) {
  if (points.empty() || points.back().limit == 0) return {};
  const TablePoint& now = points.back();
  const std::optional<Rates> rates = recent_rates(points);
  if (has_no_room(now))
    return {Forecast::State::kFull, rounded(most(Course(points, rates.value_or(Rates{}), true))), {}};
  if (!rates) return {};

  const auto in_use = static_cast<double>(now.in_use);
  const auto limit = static_cast<double>(now.limit);
  const Course course(points, *rates, false);
  const double highest = most(course);
  const double last = course.at(kBucketLifetimeS);
  const double noise = std::max(1.0, std::clamp((limit - in_use) / 2, kLeastNoise * in_use, kNoise * in_use));
  if (highest - in_use > noise) {
    return {Forecast::State::kFilling, rounded(highest),
            first_moment(course, limit, [limit](double level) { return level >= limit; })};
  }
  if (in_use - last > noise) {
    // Buckets come, and the table does not get emptier: a burst, or a load that has just begun.
    if (rates->newest.arrivals > noise && rates->newest.growth > -noise) return {};
    const double empty = kEmptyShare * in_use;
    return {Forecast::State::kDraining, rounded(last),
            first_moment(course, empty, [empty](double level) { return level <= empty; })};
  }
  return {Forecast::State::kSteady, now.in_use, {}};
}

}  // namespace twtrace::model
