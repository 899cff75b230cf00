// SPDX-License-Identifier: Apache-2.0
#include "model/forecast.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "model/fill.hpp"

namespace twtrace::model {
namespace {

/// Rates are measured over this many windows. If an interval is longer than a window, over fewer but longer ones. A
/// window ends with the interval whose end is nearest to its length. So an interval that a busy host made a little too
/// short or too long is one window, too.
constexpr std::size_t kWindows = 5;
/// A burst falls into two windows at most, so it takes three to show a rate.
constexpr std::size_t kFewestWindows = 3;
constexpr double kWindowS = kForecastRateS / kWindows;
/// The rates of windows agree if none differs from the median by more than this share of it.
constexpr double kAgreement = 0.4;
/// Two windows at this multiple of the usual rate, or one at the larger multiple or at this share of it, are a change.
/// How far it goes is not known yet.
constexpr double kRising = 1.5;
constexpr double kJump = 3;
constexpr double kFalling = 0.5;
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
  windows.reserve(kWindows);
  Window window;
  double total_s = 0;
  const auto enough = [&] { return windows.size() >= kFewestWindows && total_s >= kForecastRateS; };
  for (auto point = points.rbegin(); point != points.rend() && !enough(); ++point) {
    const auto arrivals = static_cast<double>(point->created + point->refused);
    window.length_s += point->length_s;
    window.arrivals += arrivals;
    window.growth += arrivals - point->removed.value_or(0);
    window.growth_known = window.growth_known && point->removed;
    if (window.length_s + point->length_s / 2 < kWindowS) continue;
    total_s += window.length_s;
    windows.push_back(std::exchange(window, {}));
  }
  return windows;
}

/// Per second, in the last windows.
struct Rates {
  double arrivals = 0;     ///< as usual
  bool agreed = false;     ///< the newest windows agree on `arrivals`; if not, it is a cautious guess
  bool changing = false;   ///< more or fewer come than usual, and it is too early to say how many
  double growth = 0;       ///< as usual
  double sure_growth = 0;  ///< what the newest windows agree on, or the least share of arrivals that any window kept
  Window newest;
};

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The mean of as many of the newest rates as agree; empty if too few do. `rates` are newest first.
std::optional<double> agreed_rate(std::vector<double> rates) {
  for (; rates.size() >= kFewestWindows; rates.pop_back()) {
    const double median = median_of(rates);
    const bool agree = std::all_of(rates.begin(), rates.end(), [median](double rate) {
      return std::abs(rate - median) <= kAgreement * std::abs(median);
    });
    if (agree) return mean_of(rates);
  }
  return {};
}

/// The rate at which buckets come, from windows that do not agree. No burst raises it, and no end of a load is missed.
double cautious_rate(const std::vector<double>& rates) {
  // The median ignores a burst, even one that falls into two windows. With fewer windows the smallest value does the
  // same.
  if (rates.size() < kWindows) return *std::min_element(rates.begin(), rates.end());
  return std::min({median_of(rates), mean_of(rates), std::max(rates[0], rates[1])});
}

/// The least part of the arrivals of a window by which the table grew. Below 0 if it shrank.
double least_share_kept(const std::vector<Window>& windows) {
  double least = 1;
  for (const Window& window : windows) {
    if (window.growth_known && window.arrivals > 0) least = std::min(least, window.growth / window.arrivals);
  }
  return least;
}

/// Empty if too little was seen to tell a burst from a load, or arrivals from departures.
std::optional<Rates> recent_rates(const std::vector<TablePoint>& points) {
  const std::vector<Window> windows = last_windows(points);
  std::vector<double> arrivals;
  std::vector<double> growth;
  arrivals.reserve(windows.size());
  growth.reserve(windows.size());
  for (const Window& window : windows) {
    arrivals.push_back(window.arrivals / window.length_s);
    if (window.growth_known) growth.push_back(window.growth / window.length_s);
  }
  if (windows.size() < 2 || growth.empty()) return {};
  const std::optional<double> agreed = agreed_rate(arrivals);
  const double usual = agreed.value_or(cautious_rate(arrivals));
  const bool rising = std::min(arrivals[0], arrivals[1]) > kRising * usual || arrivals[0] > kJump * usual;
  const bool changing = !agreed && (rising || arrivals[0] < kFalling * usual);
  const double noise = kLeastNoise * static_cast<double>(points.back().in_use);
  const double sure = agreed_rate(growth).value_or(usual * least_share_kept(windows));
  return Rates{usual,          agreed.has_value(), changing, median_of(growth), std::abs(sure) <= noise ? 0 : sure,
               windows.front()};
}

/// The table now and after each second of the next minute.
constexpr auto kMoments = static_cast<std::size_t>(kBucketLifetimeS) + 1;
using Levels = std::array<double, kMoments>;

/// How many buckets have left at each moment.
class Departures {
 public:
  /// The `buckets` leave evenly between two moments, given in seconds from now.
  void add(double begin_s, double end_s, double buckets) {
    const double per_s = buckets / (end_s - begin_s);
    auto moment = static_cast<std::size_t>(std::ceil(begin_s));
    for (; moment < kMoments && static_cast<double>(moment) < end_s; ++moment) {
      leaving_[moment] += per_s * (static_cast<double>(moment) - begin_s);
    }
    if (moment < kMoments) all_gone_[moment] += buckets;
  }

  /// The `buckets` came in the interval of `point`. Adds those of them that came in the last minute, and says how many.
  double add(const TablePoint& point, double buckets) {
    const double end_s = kBucketLifetimeS - point.age_s;
    if (buckets == 0 || end_s <= 0 || point.length_s <= 0) return 0;  // most tables are idle
    const double inside = buckets * std::min(1.0, end_s / point.length_s);
    add(std::max(0.0, end_s - point.length_s), end_s, inside);
    return inside;
  }

  void scale(double share) {
    for (Levels* part : {&leaving_, &all_gone_}) {
      for (double& buckets : *part) buckets *= share;
    }
  }

  Levels left() const {
    Levels left = leaving_;
    double gone = 0;
    for (std::size_t moment = 0; moment < kMoments; ++moment) left[moment] += gone += all_gone_[moment];
    return left;
  }

 private:
  Levels leaving_{};   ///< of additions that are on their way
  Levels all_gone_{};  ///< of additions that end at this moment
};

/// The share of arrivals that stays for a whole lifetime. The others are reused, recycled or purged earlier.
///
/// If the last minute was watched from its beginning, this share of the buckets `created` in it is there now. If not,
/// `unwatched_s` of it are missing, and so are the arrivals of the older buckets. Those are assumed to leave evenly in
/// as many seconds. The growth is then the arrivals that stay minus the departures.
double lasting_share(double in_use, double created, double unwatched_s, double arrivals, double growth) {
  const double would_be = created + arrivals * unwatched_s;
  if (would_be <= 0) return 1;
  return std::clamp((in_use + growth * unwatched_s) / would_be, 0.0, 1.0);
}

/// The table in the next minute. With `refused`, buckets refused in the last minute count as if they had got a place.
Levels course(const std::vector<TablePoint>& points, const Rates& rates, bool refused) {
  auto in_use = static_cast<double>(points.back().in_use);
  Departures departures;
  double watched_s = 0;
  double created = 0;
  for (const TablePoint& point : points) {
    if (point.age_s >= kBucketLifetimeS || point.length_s <= 0) continue;
    watched_s = std::max(watched_s, std::min(point.age_s + point.length_s, kBucketLifetimeS));
    created += departures.add(point, static_cast<double>(point.created));
  }
  // A table that has room may have filled a moment ago, and be level now.
  const double growth = refused ? rates.growth : rates.sure_growth;
  const double lasting = lasting_share(in_use, created, kBucketLifetimeS - watched_s, rates.arrivals, growth);
  departures.scale(lasting);
  // The others are older than the first point, or their timers were set again.
  if (const double others = in_use - created * lasting; others > 0) {
    departures.add(0, watched_s < kBucketLifetimeS - 1 ? kBucketLifetimeS - watched_s : kBucketLifetimeS, others);
  }
  if (refused) {
    for (const TablePoint& point : points) {
      in_use += departures.add(point, lasting * static_cast<double>(point.refused));
    }
  }
  Levels levels = departures.left();
  for (std::size_t moment = 0; moment < kMoments; ++moment) {
    levels[moment] = std::max(0.0, in_use - levels[moment]) + rates.arrivals * lasting * static_cast<double>(moment);
  }
  return levels;
}

double most(const Levels& levels) { return *std::max_element(levels.begin(), levels.end()); }

/// The first moment at which `reached` is true, with fractions of a second. The level is a straight line between two
/// seconds.
template <class Reached>
std::optional<double> first_moment(const Levels& levels, double wanted, Reached reached) {
  for (std::size_t moment = 1; moment < kMoments; ++moment) {
    const double level = levels[moment];
    if (!reached(level)) continue;
    const double before = levels[moment - 1];
    const auto moment_s = static_cast<double>(moment);
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
  if (has_no_room(now)) {
    // Without a steady rate only what came in the last minute counts. A guess would be another one each second.
    const Rates steady = rates && rates->agreed ? *rates : Rates{};
    // What was refused just now came on top of a full table, however many leave early.
    const std::uint64_t least = now.refused == 0 ? 0 : now.limit + now.refused;
    return {Forecast::State::kFull, std::max(least, rounded(most(course(points, steady, true)))), {}};
  }
  if (!rates) return {};

  const auto in_use = static_cast<double>(now.in_use);
  const auto limit = static_cast<double>(now.limit);
  const Levels levels = course(points, *rates, false);
  const double highest = most(levels);
  const double last = levels.back();
  const double noise = std::max(1.0, std::clamp((limit - in_use) / 2, kLeastNoise * in_use, kNoise * in_use));
  if (highest - in_use > noise) {
    if (rates->changing) return {};
    return {Forecast::State::kFilling, rounded(highest),
            first_moment(levels, limit, [limit](double level) { return level >= limit; })};
  }
  if (in_use - last > noise) {
    // Buckets come, and the table does not get emptier: a burst, or a load that has just begun.
    if (rates->newest.arrivals > noise && rates->newest.growth > -noise) return {};
    const double empty = kEmptyShare * in_use;
    return {Forecast::State::kDraining, rounded(last),
            first_moment(levels, empty, [empty](double level) { return level <= empty; })};
  }
  return {Forecast::State::kSteady, now.in_use, {}};
}

}  // namespace twtrace::model
