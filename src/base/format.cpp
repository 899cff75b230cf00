// SPDX-License-Identifier: Apache-2.0
#include "base/format.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace twtrace::base {
namespace {

// A count in the largest unit it fills, in integers: a double would round 999,999 up to "1000.0k".
struct Scaled {
  std::uint64_t whole;
  std::uint64_t tenths;
  int steps;
};

Scaled scale(std::uint64_t count, std::uint64_t step) {
  std::uint64_t unit = 1;
  int steps = 0;
  while (count / unit >= step) {
    unit *= step;
    ++steps;
  }
  // unit is at most 10^18 or 2^60, so the remainder times ten still fits.
  return {count / unit, count % unit * 10 / unit, steps};
}

}  // namespace

std::string human_count(std::uint64_t count) {
  const Scaled scaled = scale(count, 1000);
  if (scaled.steps == 0) return fmt::format("{}", count);
  const char suffix = "kMGTPE"[scaled.steps - 1];
  if (scaled.whole >= 100) return fmt::format("{}{}", scaled.whole, suffix);
  return fmt::format("{}.{}{}", scaled.whole, scaled.tenths, suffix);
}

std::string grouped(std::uint64_t count) { return fmt::format("{}", fmt::group_digits(count)); }

std::string rate(double per_second) {
  constexpr double kLargest = 1e19;  // below 2^64
  if (std::isnan(per_second) || per_second < 0) return "-";
  if (per_second == 0) return "0";
  if (per_second < 0.1) return "<0.1";
  if (per_second >= 99.95) return human_count(static_cast<std::uint64_t>(std::min(per_second + 0.5, kLargest)));
  return fmt::format("{:.1f}", per_second);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "-";
  if (seconds < 59.95) return fmt::format("{:.1f}s", seconds);
  constexpr double kLargest = 1e15;
  const auto total = static_cast<std::uint64_t>(std::min(seconds + 0.5, kLargest));
  if (total < 3600) return fmt::format("{}m{:02}s", total / 60, total % 60);
  if (total < 86400) return fmt::format("{}h{:02}m", total / 3600, total / 60 % 60);
  return fmt::format("{}d{:02}h", total / 86400, total / 3600 % 24);
}

std::string bytes(std::uint64_t count) {
  const Scaled scaled = scale(count, 1024);
  if (scaled.steps == 0) return fmt::format("{}B", count);
  return fmt::format("{}.{}{}iB", scaled.whole, scaled.tenths, "KMGTPE"[scaled.steps - 1]);
}

std::string iso8601_ms(std::int64_t unix_ms) {
  using std::chrono::days;
  using std::chrono::milliseconds;
  constexpr std::int64_t kYear0 = -62167219200000;          // 0000-01-01T00:00:00.000Z
  constexpr std::int64_t kEndOfYear9999 = 253402300799999;  // 9999-12-31T23:59:59.999Z
  const std::chrono::sys_time<milliseconds> time{milliseconds(std::clamp(unix_ms, kYear0, kEndOfYear9999))};
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss clock{time - midnight};
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"), static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace twtrace::base
