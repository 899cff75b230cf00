// SPDX-License-Identifier: Apache-2.0
#include "model/forecast.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace::model;

namespace {

using State = Forecast::State;
using Series = std::vector<std::uint64_t>;

/// A table as a recorder sees it. A bucket leaves after its lifetime. A bucket that finds no room is refused.
struct Scene {
  Series arrivals;  ///< by interval
  std::uint64_t limit = 0;
  double interval_s = 1;
  double early_share = 0;     ///< buckets in use that are reused, recycled or purged, as a share of the arrivals
  std::size_t unwatched = 0;  ///< intervals before the recorder started

  std::vector<TablePoint> record() const {
    const auto lifetime = static_cast<std::size_t>(60 / interval_s);
    std::vector<TablePoint> points;
    Series alive;  // by interval of arrival
    std::uint64_t in_use = 0;
    for (std::size_t now = 0; now < arrivals.size(); ++now) {
      TablePoint point;
      point.length_s = interval_s;
      point.age_s = interval_s * static_cast<double>(arrivals.size() - 1 - now);
      std::uint64_t removed = now >= lifetime ? std::exchange(alive[now - lifetime], 0) : 0;
      auto early = static_cast<std::uint64_t>(early_share * static_cast<double>(arrivals[now]));
      for (auto some = alive.rbegin(); some != alive.rend() && early != 0; ++some) {
        const std::uint64_t gone = std::min(*some, early);
        *some -= gone;
        early -= gone;
        removed += gone;
      }
      in_use -= removed;
      point.created = std::min(arrivals[now], limit - in_use);
      point.refused = arrivals[now] - point.created;
      in_use += point.created;
      alive.push_back(point.created);
      point.in_use = in_use;
      point.limit = limit;
      if (now > unwatched) point.removed = static_cast<double>(removed);
      if (now >= unwatched) points.push_back(point);
    }
    return points;
  }
};

Series constant(std::uint64_t rate, std::size_t intervals) { return Series(intervals, rate); }

Series operator+(Series first, const Series& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Forecast at_end(Series arrivals, std::uint64_t limit) { return forecast(Scene{std::move(arrivals), limit}.record()); }

/// The forecast after each interval of the scene.
std::vector<Forecast> all_forecasts(const Scene& scene) {
  std::vector<Forecast> result;
  std::vector<TablePoint> so_far;
  for (const TablePoint& point : scene.record()) {
    for (TablePoint& earlier : so_far) earlier.age_s += scene.interval_s;
    so_far.push_back(point);
    so_far.back().age_s = 0;
    result.push_back(forecast(so_far));
  }
  return result;
}

/// One interval as it was recorded, in which nothing was removed.
struct Interval {
  double length_s = 0;
  std::uint64_t created = 0;
  std::uint64_t refused = 0;
};

/// The forecast after each of the intervals.
std::vector<Forecast> forecasts_of(const std::vector<Interval>& intervals, std::uint64_t limit) {
  std::vector<Forecast> result;
  std::vector<TablePoint> points;
  for (const Interval& interval : intervals) {
    for (TablePoint& point : points) point.age_s += interval.length_s;
    const std::uint64_t in_use = (points.empty() ? 0 : points.back().in_use) + interval.created;
    points.push_back({0, interval.length_s, interval.created, interval.refused, 0.0, in_use, limit});
    result.push_back(forecast(points));
  }
  return result;
}

bool is_alarm(const Forecast& now) {
  return now.state == State::kFull || (now.state == State::kFilling && now.seconds.has_value());
}

}  // namespace

TEST_CASE("nothing is forecast without a table, or from less than two seconds of it") {
  CHECK(forecast({}).state == State::kUnknown);
  CHECK(at_end(constant(10, 30), 0).state == State::kUnknown);
  CHECK(at_end(constant(10, 1), 5000).state == State::kUnknown);
  CHECK(at_end(constant(10, 3), 5000).state == State::kFilling);
  CHECK(forecast(Scene{constant(10, 19), 5000, 0.1}.record()).state == State::kUnknown);
}

TEST_CASE("an idle table is level") {
  const Forecast idle = at_end(constant(0, 10), 5000);
  CHECK(idle.state == State::kSteady);
  CHECK(idle.buckets == 0);
}

TEST_CASE("a constant rate fills the table to a lifetime of arrivals, then it is level") {
  for (const std::size_t seconds : {3U, 5U, 50U}) {
    INFO(seconds << " s");
    const Forecast now = at_end(constant(80, seconds), 5000);
    CHECK(now.state == State::kFilling);
    CHECK(now.buckets == 4800);
    CHECK_FALSE(now.seconds);
  }
  for (const std::size_t seconds : {60U, 61U, 300U}) {
    INFO(seconds << " s");
    const Forecast now = at_end(constant(80, seconds), 5000);
    CHECK(now.state == State::kSteady);
    CHECK(now.buckets == 4800);
  }
}

TEST_CASE("a forecast comes true") {
  // A wave on top of a constant rate. At every moment before the table is full, the forecast says when it will be full.
  const Series arrivals = constant(40, 90) + constant(160, 60);
  const std::vector<TablePoint> whole = Scene{arrivals, 5000}.record();
  const auto full =
      std::find_if(whole.begin(), whole.end(), [](const TablePoint& point) { return point.refused != 0; });
  REQUIRE(full != whole.end());
  const auto full_at = static_cast<std::size_t>(full - whole.begin());
  REQUIRE(full_at > 100);
  for (std::size_t now = 94; now + 1 < full_at; ++now) {
    INFO("second " << now);
    const Forecast then =
        at_end(Series(arrivals.begin(), arrivals.begin() + static_cast<std::ptrdiff_t>(now) + 1), 5000);
    CHECK(then.state == State::kFilling);
    REQUIRE(then.seconds);
    CHECK(*then.seconds == Approx(static_cast<double>(full_at - now)).margin(1.0));
    CHECK(then.buckets == 160 * 60);
  }
}

TEST_CASE("the forecast follows a load that begins within four seconds") {
  // The load begins somewhere within an interval: `share` of that interval's buckets come.
  for (const double interval_s : {0.5, 1.0}) {
    for (const std::size_t quiet_s : {20U, 80U}) {
      for (const double share : {0.1, 0.4, 0.55, 0.7, 0.95}) {
        INFO("intervals of " << interval_s << " s, " << quiet_s << " quiet seconds, then a share of " << share);
        const auto rate = static_cast<std::uint64_t>(200 * interval_s);
        const auto begin = static_cast<std::size_t>(static_cast<double>(quiet_s) / interval_s);
        const auto part = static_cast<std::uint64_t>(share * static_cast<double>(rate));
        const Scene scene{constant(0, begin) + Series{part} + constant(rate, 100), 5000, interval_s};
        const std::vector<Forecast> all = all_forecasts(scene);
        const auto full =
            std::find_if(all.begin(), all.end(), [](const Forecast& now) { return now.state == State::kFull; });
        REQUIRE(full != all.end());
        const auto full_at = static_cast<std::size_t>(full - all.begin());
        for (std::size_t i = begin; i + 1 < full_at; ++i) {
          const double begun_s = interval_s * (static_cast<double>(i - begin) + share);
          INFO(begun_s << " s after the begin");
          if (begun_s >= 4) REQUIRE(all[i].seconds);
          // What is said before is nothing, or about right, too.
          if (!all[i].seconds) continue;
          const double left_s = interval_s * static_cast<double>(full_at - i);
          CHECK(*all[i].seconds == Approx(left_s).epsilon(0.2).margin(1));
        }
      }
    }
  }
}

TEST_CASE("a second that is a little too short is a second") {
  // Recorded with -d 1 on a busy host: no interval is exactly as long as it should be.
  const std::vector<Interval> recorded = {{1.002, 75},  {0.997, 75},  {0.985, 81},  {1.011, 700},
                                          {0.985, 958}, {0.994, 970}, {0.985, 955}, {0.999, 969}};
  const std::vector<Forecast> all = forecasts_of(recorded, 5000);
  CHECK_FALSE(all[3].seconds);
  CHECK_FALSE(all[4].seconds);
  for (const std::size_t i : {5U, 6U, 7U}) {  // three similar seconds
    INFO(i);
    CHECK(all[i].state == State::kFilling);
    REQUIRE(all[i].seconds);
    const double left_s = (5000.0 - std::vector{2859, 3814, 4783}[i - 5]) / 970;
    CHECK(*all[i].seconds == Approx(left_s).margin(0.3));
  }
}

TEST_CASE("the first second of a wave has no forecast at the rate before") {
  // At 75 per second the table would be full in 52 seconds, but 13 times as many come.
  const std::vector<Forecast> all = forecasts_of({{1, 75}, {1, 75}, {1, 75}, {1, 75}, {1, 975}}, 5000);
  CHECK(all[3].state == State::kFilling);
  CHECK(all[4].state == State::kUnknown);
}

TEST_CASE("what a full table needs does not jump if the load is not steady") {
  // Recorded: tests/scenes/held.db.
  const std::vector<Interval> held = {{1, 0},           {1.0049, 20}, {0.9901, 277},
                                      {1.0118, 168},    {1.0213, 0},  {0.9722, 35, 134},
                                      {0.9996, 0, 233}, {0.9949, 0},  {0.8246, 0}};
  const std::vector<Forecast> all = forecasts_of(held, 500);
  CHECK(all[5].buckets == 634);
  for (const std::size_t i : {6U, 7U, 8U}) {
    INFO(i);
    CHECK(all[i].state == State::kFull);
    CHECK(all[i].buckets == 867);
  }
  // Every other second 200 come. Only what came counts, whichever second it is.
  std::vector<Interval> pulses(20, Interval{1, 0, 0});
  for (std::size_t i = 0; i < pulses.size(); i += 2) (i < 5 ? pulses[i].created : pulses[i].refused) = 200;
  const std::vector<Forecast> pulsing = forecasts_of(pulses, 600);
  for (std::size_t i = 5; i < pulses.size(); ++i) {
    INFO(i);
    CHECK(pulsing[i].buckets == 200 * (i / 2 + 1));
  }
}

TEST_CASE("the forecast of an uneven load does not jump") {
  Series uneven;
  for (const std::uint64_t percent : {73U, 119U, 134U, 91U, 62U, 93U, 85U, 120U, 97U, 128U, 104U}) {
    uneven.push_back(2 * percent);
  }
  const Series load = uneven + uneven;
  const std::vector<Forecast> all = all_forecasts({constant(0, 20) + load + load, 4500});
  const auto full = std::find_if(all.begin(), all.end(), [](const Forecast& now) { return now.state == State::kFull; });
  REQUIRE(full != all.end());
  const auto full_at = static_cast<std::size_t>(full - all.begin());
  for (std::size_t i = 24; i + 1 < full_at; ++i) {
    INFO(i);
    REQUIRE(all[i].seconds);
    CHECK(*all[i].seconds == Approx(static_cast<double>(full_at - i)).epsilon(0.25).margin(1));
  }
}

TEST_CASE("a load that ends before the table is full alarms nobody") {
  for (const std::size_t quiet : {20U, 80U}) {
    for (const double share : {0.0, 0.1, 0.4, 0.6, 0.9}) {
      INFO(quiet << " quiet seconds, and the load ends after a share of " << share);
      const auto part = static_cast<std::uint64_t>(share * 300);
      const std::vector<Forecast> all =
          all_forecasts({constant(0, quiet) + constant(300, 13) + Series{part} + constant(0, 70), 5000});
      CHECK(is_alarm(all[quiet + 12]));
      for (std::size_t i = quiet + 14; i < all.size(); ++i) {
        INFO(i - quiet - 13 << " s after the end");
        CHECK_FALSE(is_alarm(all[i]));
        CHECK(all[i].state != State::kFilling);
      }
    }
  }
}

TEST_CASE("a full table says how many places would have been enough") {
  const Forecast now = at_end(constant(200, 100), 5000);
  CHECK(now.state == State::kFull);
  CHECK(now.buckets == 12000);
  // After the load has ended, its demand still counts until a minute has passed.
  const Forecast after = at_end(constant(200, 50) + constant(0, 5), 5000);
  CHECK(after.state == State::kFull);
  CHECK(after.buckets == 10000);
}

TEST_CASE("a full table that buckets just left is still full while it refuses") {
  std::vector<TablePoint> points = Scene{constant(200, 100), 5000}.record();
  points.back().in_use = 4997;
  CHECK(forecast(points).state == State::kFull);
  points.back().refused = 0;
  CHECK(forecast(points).state != State::kFull);
}

TEST_CASE("a table that refuses needs more than its limit, however early most leave") {
  std::vector<TablePoint> points = Scene{constant(19'500, 100), 14'060}.record();
  for (TablePoint& point : points) {
    point.created = 19'500;
    point.refused = 0;
    point.removed = 19'500;
    point.in_use = 14'055;
  }
  points.back().refused = 3;
  CHECK(forecast(points).state == State::kFull);
  CHECK(forecast(points).buckets == 14'063);
}

TEST_CASE("a table with a high rate in and out is level") {
  // 19,500 come and go per second. Buckets that are reused at once never fill the table, however near the limit is.
  for (const std::uint64_t limit : {14'500U, 20'000U, 131'072U}) {
    for (const double interval_s : {0.2, 1.0, 2.0}) {
      const auto per_interval = static_cast<std::uint64_t>(19'500 * interval_s);
      const auto ramp = static_cast<std::uint64_t>(14'100) / 4;
      Scene scene{constant(ramp, 4) + constant(per_interval, 100), limit, interval_s, 0};
      std::vector<TablePoint> points = scene.record();
      // Every arrival takes the place of a bucket in use.
      std::uint64_t wobble = 0;
      for (std::size_t i = 4; i < points.size(); ++i) {
        wobble = (wobble * 31 + 7) % 97;
        points[i].created = per_interval;
        points[i].refused = 0;
        points[i].in_use = 14'050 + wobble;
        points[i].removed =
            static_cast<double>(points[i - 1].in_use + per_interval) - static_cast<double>(points[i].in_use);
      }
      points.erase(points.begin(), points.begin() + 20);
      INFO("limit " << limit << ", intervals of " << interval_s << " s");
      const Forecast now = forecast(points);
      CHECK(now.state == State::kSteady);
      CHECK(now.buckets == points.back().in_use);
    }
  }
}

TEST_CASE("a share of the arrivals that goes early does so in the future too") {
  // 1,000 come per second, and 900 of them replace another one. So 6,000 of a minute's 60,000 remain.
  const std::vector<Forecast> all = all_forecasts({constant(1000, 150), 8000, 1, 0.9});
  for (const Forecast& now : all) CHECK_FALSE(is_alarm(now));
  CHECK(all.back().state == State::kSteady);
}

TEST_CASE("a burst is not a load") {
  for (const double interval_s : {0.1, 0.2, 1.0, 5.0}) {
    INFO("intervals of " << interval_s << " s");
    const auto minute = static_cast<std::size_t>(60 / interval_s);
    // Within one interval, and across the border of two.
    for (const Series& burst : {Series{4000}, Series{2000, 2000}}) {
      for (const std::uint64_t before : {0U, 8U}) {
        const auto rate = static_cast<std::uint64_t>(static_cast<double>(before) * interval_s);
        const auto all =
            all_forecasts({constant(rate, minute / 3 + 3) + burst + constant(rate, minute + 10), 5000, interval_s});
        for (const Forecast& now : all) CHECK_FALSE(is_alarm(now));
      }
    }
  }
}

TEST_CASE("a table that is level since a moment is not full soon") {
  // Recorded: connections take over the ports of earlier ones, so that the table has never more than 200 buckets.
  const Series created = {0, 0, 23, 50, 573, 652, 509, 264, 232, 199, 150, 170};
  const Series in_use = {0, 0, 23, 66, 189, 196, 196, 196, 196, 200, 200, 200};
  std::vector<TablePoint> points;
  for (std::size_t i = 0; i < created.size(); ++i) {
    for (TablePoint& point : points) ++point.age_s;
    TablePoint& point = points.emplace_back();
    point.length_s = 1;
    point.created = created[i];
    point.in_use = in_use[i];
    point.limit = 450;
    if (i != 0) point.removed = static_cast<double>(in_use[i - 1] + created[i]) - static_cast<double>(in_use[i]);
    const Forecast now = forecast(points);
    INFO(i);
    CHECK_FALSE(is_alarm(now));
    if (i >= 2) CHECK(now.state != State::kDraining);
    if (i >= 8) CHECK(now.state == State::kSteady);
  }
}

TEST_CASE("with long intervals, too, the end of a load is seen at once") {
  for (const double interval_s : {2.0, 5.0, 10.0}) {
    const auto per_interval = static_cast<std::uint64_t>(20 * interval_s);
    const auto all = all_forecasts({constant(per_interval, 6) + constant(0, 1), 1000, interval_s});
    INFO(interval_s);
    CHECK(is_alarm(all[all.size() - 2]));
    CHECK_FALSE(is_alarm(all.back()));
  }
}

TEST_CASE("a load that has just begun empties no table") {
  for (const std::uint64_t before : {0U, 10U}) {
    const auto all = all_forecasts({constant(before, 20) + constant(100, 20), 5000});
    for (std::size_t i = 20; i < all.size(); ++i) CHECK(all[i].state != State::kDraining);
    if (before == 0) CHECK(all[20].state == State::kUnknown);
    CHECK(all.back().state == State::kFilling);
  }
}

TEST_CASE("the minute after a load has ended is never an alarm") {
  // 80 per second for a minute bring the table to 4,800 of 5,000.
  const auto all = all_forecasts({constant(80, 60) + constant(0, 70), 5000});
  std::vector<Forecast> after(all.begin() + 60, all.end());
  for (const Forecast& now : after) CHECK_FALSE(is_alarm(now));
  const Forecast draining = after[29];  // half of the buckets have left
  CHECK(draining.state == State::kDraining);
  CHECK(draining.buckets == 0);
  REQUIRE(draining.seconds);
  CHECK(*draining.seconds == Approx(30).margin(1.5));
  CHECK(after.back().state == State::kSteady);
}

TEST_CASE("a load that gets smaller drains the table to its new level") {
  const Forecast now = at_end(constant(80, 60) + constant(10, 10), 5000);
  CHECK(now.state == State::kDraining);
  CHECK(now.buckets == 600);
  CHECK_FALSE(now.seconds);
}

TEST_CASE("started in the middle of a level table") {
  Scene scene{constant(80, 200), 5000};
  scene.unwatched = 120;
  for (const Forecast& now : all_forecasts(scene)) CHECK_FALSE(is_alarm(now));
  CHECK(all_forecasts(scene)[5].state == State::kSteady);
}

TEST_CASE("started in the middle of a table that drains, and of one that fills") {
  Scene draining{constant(80, 60) + constant(0, 50), 5000};
  draining.unwatched = 70;
  const auto all = all_forecasts(draining);
  for (const Forecast& now : all) CHECK_FALSE(is_alarm(now));
  CHECK(all[3].state == State::kDraining);
  Scene filling{constant(200, 22), 5000};
  filling.unwatched = 15;
  // It is unknown when the older ones leave. The error is a few seconds at most.
  const Forecast now = forecast(filling.record());
  CHECK(now.state == State::kFilling);
  CHECK(now.seconds.has_value());
}
