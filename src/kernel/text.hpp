// SPDX-License-Identifier: Apache-2.0
// The few string helpers that the kernel's text files need. Pure, allocation-free.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace twtrace::kernel {

/// Cuts the text before the first `delimiter` off `rest` and returns it. Drops the delimiter. Takes all of `rest` if
/// there is none.
std::string_view cut(std::string_view& rest, char delimiter);

/// Cuts the next run of bytes that are neither blank nor tab nor newline off `rest`; empty at the end.
std::string_view cut_word(std::string_view& rest);

/// `text` without blanks, tabs and newlines at both ends.
std::string_view trim(std::string_view text);

/// All of `text` as a number. Empty if it has a sign or a blank, or overflows.
template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// True when `text` is not empty and only `0-9a-fA-F`.
bool is_hex(std::string_view text);

}  // namespace twtrace::kernel
