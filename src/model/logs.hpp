// SPDX-License-Identifier: Apache-2.0
// Lines of application logs that a capture recorded beside its samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace twtrace::model {

/// What could not be read of a log, so far. None of it is in any count.
struct LogGaps {
  std::uint64_t long_lines = 0;     ///< lines of which only the first bytes were compared with the pattern
  std::uint64_t skipped_bytes = 0;  ///< grew faster than they could be read
  std::string problem;              ///< why the log could not be read at last, in words; empty if it could

  bool operator==(const LogGaps&) const = default;
};

/// A log that a capture followed. Strings may hold any bytes.
struct Log {
  enum class Kind { kFile, kJournal };

  Kind kind = Kind::kFile;
  std::string name;     ///< path of the file as typed, or a unit
  std::string pattern;  ///< extended regular expression, ignoring case
  LogGaps gaps;
};
/// Of one capture.
inline constexpr std::size_t kMostLogs = 16;
/// Bytes of Log::name that a capture can hold: PATH_MAX.
inline constexpr std::size_t kLongestLogName = 4096;

/// A line of a log that matched its pattern, or several of which only the number is known.
struct LogLine {
  std::size_t log = 0;            ///< index into CaptureInfo::logs
  std::int64_t time_unix_ms = 0;  ///< when journald got it, or when twtrace read it in a file
  std::uint64_t lines = 1;
  std::optional<std::string> text;  ///< its first bytes, any; empty: only counted, see logs::Matches

  bool operator==(const LogLine&) const = default;
};

/// "file", "journal".
const char* to_string(Log::Kind kind);

}  // namespace twtrace::model
