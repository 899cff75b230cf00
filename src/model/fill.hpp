// SPDX-License-Identifier: Apache-2.0
// How full a table is.
#pragma once

#include <cstdint>
#include <optional>

namespace twtrace::model {

/// Above this percentage a table counts as nearly full.
inline constexpr std::uint64_t kNearlyFullPercent = 80;

/// Percent of the limit in use, truncated: 100 means full. Empty when either is unknown, or the limit is 0.
inline std::optional<std::uint64_t> percent_full(std::optional<std::uint64_t> in_use,
                                                 std::optional<std::uint64_t> limit) {
  if (!in_use || limit.value_or(0) == 0) return std::nullopt;
  return *in_use * 100 / *limit;
}

/// True if all of the limit is in use. False if either value is unknown.
inline bool is_full(std::optional<std::uint64_t> in_use, std::optional<std::uint64_t> limit) {
  return in_use && limit.value_or(0) != 0 && *in_use >= *limit;
}

inline bool is_nearly_full(double percent) { return percent > static_cast<double>(kNearlyFullPercent); }
/// True if more than kNearlyFullPercent of the limit is in use. False if either value is unknown.
inline bool is_nearly_full(std::optional<std::uint64_t> in_use, std::optional<std::uint64_t> limit) {
  return in_use && limit.value_or(0) != 0 && *in_use * 100 > *limit * kNearlyFullPercent;
}

}  // namespace twtrace::model
