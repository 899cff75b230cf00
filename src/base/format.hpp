// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them. ASCII, no locale.
#pragma once

#include <cstdint>
#include <string>

namespace twtrace::base {

/// At most five columns: "999", "1.2k", "34.5k", "345k", "1.2M" ... "18.4E". Decimal steps of 1,000, truncated rather
/// than rounded: a count never reads higher than it is.
std::string human_count(std::uint64_t count);

/// The exact number with thousands separators, "4,998": fmt::group_digits() as a string.
std::string grouped(std::uint64_t count);

/// Events per second in at most five columns: "0", "<0.1", "0.4", "34.5", "812", "1.2k". "-" when negative or not a
/// number.
std::string rate(double per_second);

/// A length of time by its two leading units: "0.5s", "12.0s", "3m05s", "2h05m", "3d04h". "-" when negative or not
/// finite.
std::string duration(double seconds);

/// Memory or file size in binary steps: "512B", "24.3MiB". Truncated.
std::string bytes(std::uint64_t count);

/// UTC, "2026-01-02T03:04:05.678Z". Times outside the years 0 to 9999 are clamped to them.
std::string iso8601_ms(std::int64_t unix_ms);

}  // namespace twtrace::base
