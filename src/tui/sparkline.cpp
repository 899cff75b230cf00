// SPDX-License-Identifier: Apache-2.0
#include "tui/sparkline.hpp"

#include <algorithm>
#include <cmath>

namespace twtrace::tui {
namespace {

constexpr std::size_t kLevels = 8;
constexpr char kAsciiLevels[] = "_.-:=+*#";

std::vector<double> merged(const std::vector<double>& values, std::size_t columns) {
  const std::size_t group = (values.size() + columns - 1) / columns;
  std::vector<double> result;
  // Groups are counted from the newest value.
  for (std::size_t end = values.size(); end > 0;) {
    const std::size_t begin = end > group ? end - group : 0;
    result.push_back(*std::max_element(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                       values.begin() + static_cast<std::ptrdiff_t>(end)));
    end = begin;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace

std::string sparkline(const std::vector<double>& values, std::size_t columns, double top, Charset charset) {
  if (values.empty() || columns == 0) return {};
  const std::vector<double> shown = merged(values, columns);
  if (top <= 0) top = *std::max_element(shown.begin(), shown.end());
  std::string text;
  for (const double value : shown) {
    if (!(value > 0) || !(top > 0)) {
      text += ' ';
      continue;
    }
    const double height = std::ceil(std::min(value / top, 1.0) * static_cast<double>(kLevels));
    const std::size_t level = std::clamp<std::size_t>(static_cast<std::size_t>(height), 1, kLevels) - 1;
    if (charset == Charset::kAscii) {
      text += kAsciiLevels[level];
    } else {
      append_utf8(text, static_cast<char32_t>(U'\u2581' + level));
    }
  }
  return text;
}

}  // namespace twtrace::tui
