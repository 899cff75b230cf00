// SPDX-License-Identifier: Apache-2.0
// Private to capture: cuts what a file is to hold to what a reader takes (limits.hpp). For values that no user typed:
// a value that a user typed is refused before it gets here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "capture/limits.hpp"

namespace twtrace::capture {

/// The first bytes of a text.
inline std::string_view fit_text(std::string_view text, std::size_t most = kLongestWord) {
  return text.substr(0, most);
}
/// A moment in the years that a file knows.
inline std::int64_t fit_time(std::int64_t unix_ms) { return std::clamp<std::int64_t>(unix_ms, 0, kLastUnixMs); }
/// Seconds, percent or nanoseconds. Less than the least is 0, and so is what is no number.
inline double fit_real(double value) { return value >= kLeastReal ? std::min(value, kMostReal) : 0; }
inline std::optional<double> fit_real(const std::optional<double>& value) {
  return value ? std::optional(fit_real(*value)) : std::nullopt;
}

}  // namespace twtrace::capture
