// SPDX-License-Identifier: Apache-2.0
// Finds the messages in what journalctl prints, with their times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "logs/line_splitter.hpp"

namespace twtrace::logs {

using TakeDatedLine = std::function<void(std::int64_t time_unix_ms, std::string_view line)>;

/// Reads the Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS) in pieces of any size: `journalctl -o export`.
/// Its memory does not depend on how long a message is. Not thread-safe.
class JournalEntries {
 public:
  /// Calls `take` for each line of a message that ends within `bytes`, with the time at which journald got the message.
  void feed(std::string_view bytes, const TakeDatedLine& take);

  /// Lines of more than kLongestLine bytes, so far.
  std::uint64_t long_lines() const { return lines_.long_lines(); }

 private:
  /// What comes next. A field is `NAME=value` and a newline or, if the value has bytes that are no text, NAME and a
  /// newline, the size in 64 bits (little endian), the value, and a newline. An empty line ends an entry.
  enum class Part { kField, kSize, kValue, kValueEnd };

  std::size_t feed_field(std::string_view bytes, const TakeDatedLine& take);
  std::size_t feed_size(std::string_view bytes);
  std::size_t feed_value(std::string_view bytes, const TakeDatedLine& take);
  void end_field(const TakeDatedLine& take);

  Part part_ = Part::kField;
  std::string field_;              ///< its first bytes
  bool is_message_ = false;        ///< the value is one
  std::uint64_t size_ = 0;         ///< of the value; then what is left of it
  unsigned size_bytes_ = 0;        ///< of size_ that have been read
  std::int64_t time_unix_ms_ = 0;  ///< of the entry; comes before its message
  LineSplitter lines_;
};

}  // namespace twtrace::logs
