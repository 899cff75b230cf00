// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of a log into lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace twtrace::logs {

/// Bytes of a line that are looked at; the rest of a longer line is passed over.
inline constexpr std::size_t kLongestLine = 4096;
/// Bytes read of one log in one look.
inline constexpr std::uint64_t kMostPerLook = std::uint64_t{2} << 20U;

/// Takes bytes in pieces of any size, and gives lines without their end (LF or CR LF), and without NUL bytes in front:
/// a file that was cut short while a program writes it has a hole there. Keeps at most kLongestLine bytes. Not
/// thread-safe.
class LineSplitter {
 public:
  /// Calls `take(std::string_view line)` for each line that ends within `bytes`.
  template <class Take>
  void feed(std::string_view bytes, const Take& take) {
    while (!bytes.empty()) {
      if (!begun_) bytes.remove_prefix(std::min(bytes.find_first_not_of('\0'), bytes.size()));
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        if (!bytes.empty()) keep(bytes);
        return;
      }
      if (begun_) {
        keep(bytes.substr(0, end));
        give(kept_, take);
      } else {
        give(bytes.substr(0, end), take);
      }
      bytes.remove_prefix(end + 1);
    }
  }

  /// Gives the last line, which has no end, if there is one.
  template <class Take>
  void finish(const Take& take) {
    if (begun_) give(kept_, take);
  }

  /// Lines of more than kLongestLine bytes, so far.
  std::uint64_t long_lines() const { return long_lines_; }

 private:
  void keep(std::string_view bytes) {
    begun_ = true;
    const std::size_t room = kLongestLine - kept_.size();
    cut_ = cut_ || bytes.size() > room;
    kept_ += bytes.substr(0, room);
  }

  template <class Take>
  void give(std::string_view line, const Take& take) {
    if (cut_ || line.size() > kLongestLine) ++long_lines_;
    line = line.substr(0, kLongestLine);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    take(line);
    kept_.clear();
    begun_ = cut_ = false;
  }

  std::string kept_;
  bool begun_ = false;  ///< a line has begun
  bool cut_ = false;    ///< and has more than kLongestLine bytes
  std::uint64_t long_lines_ = 0;
};

}  // namespace twtrace::logs
