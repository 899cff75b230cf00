// SPDX-License-Identifier: Apache-2.0
#include "app/option_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/nearest.hpp"

namespace twtrace::app {
namespace {

/// Empty unless all of `text` is a number.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

base::Result<std::uint64_t> parse_whole_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = parse_number<std::uint64_t>(text);
  if (value && *value >= least && *value <= most) return *value;
  return base::fail(base::ErrorCode::kUsage, fmt::format("\"{}\" cannot be used", text),
                    fmt::format("give a whole number from {} to {}", least, most));
}

base::Result<double> parse_seconds(std::string_view text, double least, double most) {
  const auto value = parse_number<double>(text);
  if (value && *value >= least && *value <= most) return *value;  // never true for "nan"
  return base::fail(base::ErrorCode::kUsage, fmt::format("\"{}\" cannot be used", text),
                    fmt::format("give seconds from {} to {}", least, most));
}

base::Result<double> parse_percent(std::string_view text) {
  constexpr double kMost = 1e6;
  std::string_view digits = text;
  if (digits.ends_with('%')) digits.remove_suffix(1);
  const auto value = parse_number<double>(digits);
  if (value && *value >= 0 && *value <= kMost) return *value;
  return base::fail(base::ErrorCode::kUsage, fmt::format("\"{}\" cannot be used", text), "give percent, as in 10%");
}

base::Result<std::size_t> parse_name(std::string_view text, const std::vector<std::string_view>& names) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return base::fail(base::ErrorCode::kUsage, fmt::format("unknown value \"{}\"", text),
                    base::expected_one_of(text, names));
}

}  // namespace twtrace::app
