// SPDX-License-Identifier: Apache-2.0
#include "logs/journal_entries.hpp"

#include <algorithm>
#include <charconv>

namespace twtrace::logs {
namespace {

constexpr std::string_view kMessage = "MESSAGE";
constexpr std::string_view kTime = "__REALTIME_TIMESTAMP";
/// Enough for a line of which the splitter can tell that it is too long.
constexpr std::size_t kLongestField = kMessage.size() + 1 + kLongestLine + 1;

}  // namespace

void JournalEntries::feed(std::string_view bytes, const TakeDatedLine& take) {
  while (!bytes.empty()) {
    switch (part_) {
      case Part::kField:
        bytes.remove_prefix(feed_field(bytes, take));
        break;
      case Part::kSize:
        bytes.remove_prefix(feed_size(bytes));
        break;
      case Part::kValue:
        bytes.remove_prefix(feed_value(bytes, take));
        break;
      case Part::kValueEnd:
        bytes.remove_prefix(1);
        part_ = Part::kField;
        break;
    }
  }
}

std::size_t JournalEntries::feed_field(std::string_view bytes, const TakeDatedLine& take) {
  const std::size_t end = bytes.find('\n');
  field_ += bytes.substr(0, std::min(end, kLongestField - field_.size()));
  if (end == std::string_view::npos) return bytes.size();
  end_field(take);
  field_.clear();
  return end + 1;
}

void JournalEntries::end_field(const TakeDatedLine& take) {
  const std::string_view field = field_;
  const std::size_t equals = field.find('=');
  const std::string_view name = field.substr(0, equals);
  is_message_ = name == kMessage;
  if (field.empty()) return;
  if (equals == std::string_view::npos) {
    part_ = Part::kSize;
    size_ = size_bytes_ = 0;
    return;
  }
  const std::string_view value = field.substr(equals + 1);
  if (is_message_) {
    const auto taker = [&](std::string_view line) { take(time_unix_ms_, line); };
    lines_.feed(value, taker);
    lines_.feed("\n", taker);
  } else if (name == kTime) {
    constexpr std::int64_t kMsUs = 1000;
    std::int64_t time_us = 0;
    std::from_chars(value.data(), value.data() + value.size(), time_us);
    time_unix_ms_ = time_us / kMsUs;
  }
}

std::size_t JournalEntries::feed_size(std::string_view bytes) {
  constexpr unsigned kByteBits = 8;
  size_ |= std::uint64_t{static_cast<unsigned char>(bytes.front())} << (kByteBits * size_bytes_);
  if (++size_bytes_ == sizeof(size_)) part_ = Part::kValue;
  return 1;
}

std::size_t JournalEntries::feed_value(std::string_view bytes, const TakeDatedLine& take) {
  const std::string_view piece =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size_, bytes.size())));
  const auto taker = [&](std::string_view line) { take(time_unix_ms_, line); };
  if (is_message_) lines_.feed(piece, taker);
  size_ -= piece.size();
  if (size_ == 0) {
    if (is_message_) lines_.finish(taker);
    part_ = Part::kValueEnd;
  }
  return piece.size();
}

}  // namespace twtrace::logs
