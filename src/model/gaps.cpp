// SPDX-License-Identifier: Apache-2.0
#include "model/gaps.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace twtrace::model {
namespace {

/// A sample may be this much late without a gap: the machine was busy, or the disk slow.
constexpr double kSlackS = 1;
constexpr double kShortestSleepS = 0.5;

std::int64_t milliseconds(double seconds) { return std::llround(seconds * 1000); }

}  // namespace

const char* to_string(Gap::Why why) {
  switch (why) {
    case Gap::Why::kNotSampled:
      return "not_sampled";
    case Gap::Why::kSuspended:
      return "suspended";
    case Gap::Why::kClockSet:
      return "clock_set";
    case Gap::Why::kNotRead:
      return "not_read";
  }
  return "";
}

double longest_interval_s(double asked_s) { return std::max(2 * asked_s, asked_s + kSlackS); }

void GapFinder::note(Gap gap) {
  if (gap.from_unix_ms > gap.to_unix_ms) std::swap(gap.from_unix_ms, gap.to_unix_ms);
  Gap* const last = gaps_.empty() ? nullptr : &gaps_.back();
  const bool continues =
      last != nullptr && last->why == gap.why && last->netns_id == gap.netns_id && gap.from_unix_ms <= last->to_unix_ms;
  if (!continues && gaps_.size() < kMost) {
    gaps_.push_back(gap);
    return;
  }
  if (!continues) last->netns_id.reset();
  last->from_unix_ms = std::min(last->from_unix_ms, gap.from_unix_ms);
  last->to_unix_ms = std::max(last->to_unix_ms, gap.to_unix_ms);
}

void GapFinder::add_interval(const Interval& interval) {
  const std::int64_t before = last_unix_ms_;
  const std::int64_t begin = interval.end_unix_ms - milliseconds(interval.seconds + interval.suspended_s);
  const std::int64_t end = interval.end_unix_ms;
  const double unexplained_s = static_cast<double>(begin - before) / 1000;
  // Counting begins a little before the moment that the capture calls its start.
  if (first_ ? unexplained_s > longest_s_ : std::abs(unexplained_s) > kSlackS) {
    note({first_ ? Gap::Why::kNotSampled : Gap::Why::kClockSet, before, first_ ? begin : end, {}});
  }
  if (interval.suspended_s > kShortestSleepS) note({Gap::Why::kSuspended, begin, end, {}});
  if (interval.seconds > longest_s_) note({Gap::Why::kNotSampled, begin, end, {}});
  first_ = false;
  earlier_begin_unix_ms_ = std::exchange(begin_unix_ms_, before);
  last_unix_ms_ = end;
}

void GapFinder::add_netns(std::uint32_t id, bool read, bool gone) {
  if (!read && !gone) {
    unread_since_.try_emplace(id, begin_unix_ms_);
    return;
  }
  const auto since = unread_since_.find(id);
  if (since == unread_since_.end()) return;
  // The last reading of a namespace that goes away may fail before twtrace knows that it went away.
  if (!gone || since->second < earlier_begin_unix_ms_) note({Gap::Why::kNotRead, since->second, begin_unix_ms_, id});
  unread_since_.erase(since);
}

std::vector<Gap> GapFinder::finish(std::optional<std::int64_t> ended_unix_ms) && {
  for (const auto& [id, since] : unread_since_) note({Gap::Why::kNotRead, since, last_unix_ms_, id});
  const double tail_s = static_cast<double>(ended_unix_ms.value_or(last_unix_ms_) - last_unix_ms_) / 1000;
  if (tail_s > longest_s_) note({Gap::Why::kNotSampled, last_unix_ms_, *ended_unix_ms, {}});
  std::stable_sort(gaps_.begin(), gaps_.end(),
                   [](const Gap& left, const Gap& right) { return left.from_unix_ms < right.from_unix_ms; });
  return std::move(gaps_);
}

}  // namespace twtrace::model
