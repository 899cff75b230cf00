// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace twtrace::base {
namespace {

constexpr std::size_t kLettersPerMistake = 3;
constexpr std::size_t kLongestTyped = 64;  ///< anything longer is not a mistyped word

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// Optimal string alignment: Levenshtein's distance with swaps of neighbours.
std::size_t distance(std::string_view left, std::string_view right) {
  const std::size_t width = right.size() + 1;
  std::vector<std::size_t> before(width);
  std::vector<std::size_t> last(width);
  std::vector<std::size_t> row(width);
  for (std::size_t j = 0; j < width; ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j < width; ++j) {
      const std::size_t replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[right.size()];
}

}  // namespace

std::string_view nearest(std::string_view typed, std::span<const std::string_view> known) {
  if (typed.empty() || typed.size() > kLongestTyped) return {};
  const std::string word = lower(typed);
  std::size_t least = (word.size() + kLettersPerMistake - 1) / kLettersPerMistake + 1;
  std::string_view found;
  for (const std::string_view candidate : known) {
    const std::string name = lower(candidate);
    const bool begins = word.size() > 1 && name.starts_with(word);
    const bool ends = word.size() > 2 && name.ends_with("_" + word);
    const std::size_t far = std::min(distance(word, name), begins || ends ? std::size_t{1} : kLongestTyped);
    if (far >= least) continue;
    least = far;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known) {
  const std::string_view near = nearest(typed, known);
  return near.empty() ? std::string() : "did you mean \"" + std::string(near) + "\"? ";
}

std::string expected_one_of(std::string_view typed, std::span<const std::string_view> known) {
  return fmt::format("{}expected one of {}", did_you_mean(typed, known), fmt::join(known, ", "));
}

}  // namespace twtrace::base
