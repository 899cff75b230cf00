// SPDX-License-Identifier: Apache-2.0
#include "model/forecast.hpp"

#include <algorithm>

#include "support/catch.hpp"

using namespace twtrace::model;

namespace {

constexpr auto kFull = Forecast::Kind::kFull;
constexpr auto kFillsUp = Forecast::Kind::kFillsUp;
constexpr auto kSteady = Forecast::Kind::kSteady;

/// A table of one-second intervals that began empty: a bucket leaves 60 s after it came, what has no room is refused.
std::vector<TablePoint> simulate(const std::vector<std::uint64_t>& arrivals, std::uint64_t limit) {
  std::vector<TablePoint> points;
  std::uint64_t in_use = 0;
  for (std::size_t second = 0; second < arrivals.size(); ++second) {
    if (second >= 60) in_use -= points[second - 60].created;
    TablePoint point;
    point.length_s = 1;
    point.age_s = static_cast<double>(arrivals.size() - 1 - second);
    point.created = std::min(arrivals[second], limit - in_use);
    point.refused = arrivals[second] - point.created;
    in_use += point.created;
    point.in_use = in_use;
    point.limit = limit;
    points.push_back(point);
  }
  return points;
}

std::vector<std::uint64_t> constant(std::uint64_t rate, std::size_t seconds) {
  return std::vector<std::uint64_t>(seconds, rate);
}

}  // namespace

TEST_CASE("nothing is forecast without a table") {
  CHECK(forecast({}).kind == Forecast::Kind::kUnknown);
  TablePoint no_limit;
  no_limit.length_s = 1;
  CHECK(forecast({no_limit}).kind == Forecast::Kind::kUnknown);
}

TEST_CASE("an idle table stays as it is") {
  const Forecast idle = forecast(simulate(constant(0, 10), 5000));
  CHECK(idle.kind == kSteady);
  CHECK(idle.level == 0);
}

TEST_CASE("a constant rate settles at a lifetime of arrivals") {
  for (const std::size_t seconds : {1U, 5U, 59U, 60U, 61U, 300U}) {
    INFO(seconds << " s");
    const Forecast forecast_now = forecast(simulate(constant(80, seconds), 5000));
    CHECK(forecast_now.kind == kSteady);
    CHECK(forecast_now.level == 4800);
  }
}

TEST_CASE("a forecast comes true") {
  // A wave on top of a constant rate: at every moment before the table is full the forecast says when it will be.
  std::vector<std::uint64_t> arrivals = constant(40, 90);
  const std::vector<std::uint64_t> wave = constant(160, 60);
  arrivals.insert(arrivals.end(), wave.begin(), wave.end());
  const std::vector<TablePoint> whole = simulate(arrivals, 5000);
  const auto full =
      std::find_if(whole.begin(), whole.end(), [](const TablePoint& point) { return point.refused != 0; });
  REQUIRE(full != whole.end());
  const auto full_at = static_cast<std::size_t>(full - whole.begin());
  REQUIRE(full_at > 100);
  for (std::size_t now = 96; now + 1 < full_at; ++now) {  // the wave has filled the seconds that the rate is taken from
    INFO("second " << now);
    const std::vector<std::uint64_t> until(arrivals.begin(), arrivals.begin() + static_cast<std::ptrdiff_t>(now) + 1);
    const Forecast forecast_now = forecast(simulate(until, 5000));
    CHECK(forecast_now.kind == kFillsUp);
    CHECK(forecast_now.seconds == Approx(static_cast<double>(full_at - now)).margin(1.0));
    CHECK(forecast_now.level == 160 * 60);
  }
}

TEST_CASE("a full table says how much room would be needed, refused arrivals included") {
  const Forecast now = forecast(simulate(constant(200, 100), 5000));
  CHECK(now.kind == kFull);
  CHECK(now.level == 12000);
}

TEST_CASE("after a wave the table drains though it was nearly full") {
  std::vector<std::uint64_t> arrivals = constant(80, 60);
  const std::vector<std::uint64_t> calm = constant(10, 10);
  arrivals.insert(arrivals.end(), calm.begin(), calm.end());
  const Forecast now = forecast(simulate(arrivals, 5000));
  CHECK(now.kind == kSteady);
  CHECK(now.level == 600);
}

TEST_CASE("buckets that were there before leave within their lifetime") {
  TablePoint first;
  first.length_s = 1;
  first.in_use = 4000;
  first.limit = 5000;
  first.created = 50;
  // 3,950 old ones leave over 59 s, about 67 a second: faster than 50 arrive.
  CHECK(forecast({first}).kind == kSteady);
  first.created = 100;
  const Forecast filling = forecast({first});
  CHECK(filling.kind == kFillsUp);
  CHECK(filling.seconds == Approx(1000 / (100 - 3900.0 / 59)).margin(1.0));
}

TEST_CASE("buckets that went early make room") {
  // 200 came per second, but reuse left only 1,000 of them.
  std::vector<TablePoint> points = simulate(constant(10, 30), 5000);
  points.back().in_use = 30;
  CHECK(forecast(points).kind == kSteady);
  for (TablePoint& point : points) point.created = 200;
  points.back().in_use = 1000;
  const Forecast now = forecast(points);
  CHECK(now.kind == kFillsUp);
  CHECK(now.seconds == Approx(20.0).margin(1.0));
}
