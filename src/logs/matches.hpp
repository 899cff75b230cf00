// SPDX-License-Identifier: Apache-2.0
// Collects the lines that matched, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "model/logs.hpp"

namespace twtrace::logs {

/// Bytes of a line that are kept.
inline constexpr std::size_t kLongestText = 512;
/// Lines of all logs that are kept with their text: in one second, between two calls of take(), and ever. The others
/// are counted.
inline constexpr std::size_t kMostPerSecond = 100;
inline constexpr std::size_t kMostPerTake = 10'000;
inline constexpr std::size_t kMostEver = 100'000;

/// Every line is in exactly one LogLine. Not thread-safe.
class Matches {
 public:
  void add(std::size_t log, std::int64_t time_unix_ms, std::string_view line);
  /// What was added since the last call: the lines with text in the order of their times, then one LogLine per log with
  /// the number of the others, at the time of the last one.
  std::vector<model::LogLine> take();

 private:
  bool has_room(std::int64_t second);

  std::vector<model::LogLine> kept_;
  std::map<std::size_t, model::LogLine> counted_;  ///< by log
  std::int64_t second_ = 0;
  std::size_t in_second_ = 0;
  std::size_t ever_ = 0;
};

}  // namespace twtrace::logs
