// SPDX-License-Identifier: Apache-2.0
// The gaps of a capture: times for which it knows less than the user asked for. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace twtrace::model {

/// A time for which a capture knows less than the user asked for. Counts since the start are still exact after it. A
/// gap hides only when things happened, and peaks.
struct Gap {
  enum class Why {
    kNotSampled,  ///< no sample was taken in time: twtrace was stopped, had no CPU, or could not write
    kSuspended,   ///< the host slept
    kClockSet,    ///< the wall clock was set, so times before and after it cannot be compared
    kNotRead,     ///< the kernel's own numbers of a namespace could not be read
  };
  Why why = Why::kNotSampled;
  std::int64_t from_unix_ms = 0;
  std::int64_t to_unix_ms = 0;
  std::optional<std::uint32_t> netns_id;  ///< NetnsRow::id, for kNotRead; empty: one of several
};

/// "not_sampled", "suspended", "clock_set", "not_read".
const char* to_string(Gap::Why why);

/// An interval longer than this is late.
double longest_interval_s(double asked_s);

/// Finds the gaps of a capture from its samples, in their order. Keeps at most kMost, and merges further ones into
/// longer gaps. Not thread-safe.
class GapFinder {
 public:
  static constexpr std::size_t kMost = 1000;

  /// What a sample says about its interval.
  struct Interval {
    std::int64_t end_unix_ms = 0;
    double seconds = 0;      ///< that the host was awake
    double suspended_s = 0;  ///< that the host slept
  };

  GapFinder(double asked_s, std::int64_t started_unix_ms)
      : longest_s_(longest_interval_s(asked_s)), last_unix_ms_(started_unix_ms) {}

  void add_interval(const Interval& interval);
  /// Call this when it changes whether the numbers of a namespace can be read. The change counts from the end of the
  /// last interval. A namespace that is gone has no numbers to read.
  void add_netns(std::uint32_t id, bool read, bool gone);
  /// The gaps, in ascending order. `ended_unix_ms` is empty for a capture that was cut short, which has no gap after
  /// its last sample.
  std::vector<Gap> finish(std::optional<std::int64_t> ended_unix_ms) &&;

 private:
  void note(Gap gap);

  double longest_s_;
  bool first_ = true;
  std::int64_t last_unix_ms_;                           ///< end of the last interval, and where the next one begins
  std::int64_t begin_unix_ms_ = 0;                      ///< of the last interval
  std::int64_t earlier_begin_unix_ms_ = 0;              ///< of the one before
  std::map<std::uint32_t, std::int64_t> unread_since_;  ///< by NetnsRow::id
  std::vector<Gap> gaps_;
};

}  // namespace twtrace::model
