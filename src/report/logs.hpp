// SPDX-License-Identifier: Apache-2.0
// The lines of application logs that a capture followed, beside the resets of the same intervals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/logs.hpp"

namespace twtrace::report {

/// What happened in the interval in which a line was read. Of several, the first one.
enum class Beside {
  kAvoidable,  ///< a reset that a place in the table would have avoided (peer_resets_avoidable)
  kReset,      ///< another reset, received or sent
  kNothing,    ///< no reset, or it is not known whether there was one
};
inline constexpr std::array kBesides = {Beside::kAvoidable, Beside::kReset, Beside::kNothing};

/// Lines by Beside.
using LinesBeside = std::array<std::uint64_t, kBesides.size()>;

/// What the capture says of one log.
struct LogReport {
  model::Log log;
  LinesBeside lines{};
  std::uint64_t without_text = 0;  ///< those of them that were only counted
};

/// The first line of a kind.
struct FirstLine {
  std::size_t log = 0;  ///< index into LogsReport::logs
  std::int64_t time_unix_ms = 0;
  std::string text;
};

/// Some intervals, merged to bound memory.
struct LogPoint {
  std::int64_t begin_unix_ms = 0;
  std::int64_t end_unix_ms = 0;
  std::uint64_t lines = 0;
  std::uint64_t resets = 0;  ///< received and sent, in all namespaces of the report
  std::uint64_t avoidable = 0;
};

/// What it says of all logs together, and of each.
struct LogsReport {
  bool resets_known = false;    ///< the backend sees resets, received and sent
  std::vector<LogReport> logs;  ///< as CaptureInfo::logs
  LinesBeside lines{};          ///< of all logs
  std::array<std::optional<FirstLine>, kBesides.size()> first;
  std::vector<LogPoint> timeline;  ///< ascending, at most kMaxTimelinePoints; empty if no log was followed
};

/// Of all kinds together.
std::uint64_t sum(const LinesBeside& lines);

}  // namespace twtrace::report
