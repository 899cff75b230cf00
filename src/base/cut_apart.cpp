// SPDX-License-Identifier: Apache-2.0
#include "base/cut_apart.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "base/escape.hpp"

namespace twtrace::base {
namespace {

/// Which whole cell each text stands for. The empty text means several.
using Shown = std::unordered_map<std::string, std::string_view>;

void show(Shown& shown, const std::string& text, std::string_view whole) {
  const auto [known, is_new] = shown.emplace(text, whole);
  if (!is_new && known->second != whole) known->second = {};
}

/// The number of bytes with which all of these cells begin, whole characters.
std::size_t common_beginning(const std::vector<std::string>& whole, const std::vector<std::size_t>& cells) {
  const std::string& first = whole[cells.front()];
  std::size_t bytes = first.size();
  for (const std::size_t i : cells) {
    const auto [end, other] = std::mismatch(first.begin(), first.end(), whole[i].begin(), whole[i].end());
    bytes = std::min(bytes, static_cast<std::size_t>(end - first.begin()));
  }
  return bytes;
}

/// The beginning of the character `back` characters before the byte `at`, or of the one that `at` is in.
std::size_t characters_before(const std::string& text, std::size_t at, std::size_t back) {
  const auto inside = [&](std::size_t byte) { return byte < text.size() && (text[byte] & 0xC0) == 0x80; };
  while (at > 0 && inside(at)) --at;
  for (; at > 0 && back > 0; --back) {
    --at;
    while (at > 0 && inside(at)) --at;
  }
  return at;
}

/// Cuts cells that differ only in the middle in front and at the end: "~0-43.eu-cen~".
void cut_both_ends(std::vector<std::string>& cells, const std::vector<std::string>& whole,
                   const std::vector<std::size_t>& alike, std::size_t columns, const Shown& shown) {
  std::map<std::string, std::vector<std::size_t>> groups;  // by what is alike
  for (const std::size_t i : alike) groups[cells[i]].push_back(i);
  Shown all = shown;
  std::map<std::size_t, std::string> cuts;
  for (const auto& [text, members] : groups) {
    const std::size_t common = common_beginning(whole, members);
    for (const std::size_t i : members) {
      const std::size_t from = characters_before(whole[i], common, columns / 4);
      cuts[i] = fit("~" + whole[i].substr(from), columns);
      show(all, cuts[i], whole[i]);
    }
  }
  for (auto& [i, cut] : cuts) {
    if (!all.at(cut).empty()) cells[i] = std::move(cut);
  }
}

}  // namespace

void cut_apart(std::vector<std::string>& cells, std::size_t columns) {
  if (columns == 0) return;
  const std::vector<std::string> whole = cells;
  Shown shown;
  std::vector<std::size_t> wide;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (display_width(whole[i]) > columns) {
      wide.push_back(i);
    } else {
      show(shown, whole[i], whole[i]);
    }
  }
  for (const std::size_t tail : {std::size_t{0}, columns / 2, columns - 1}) {
    Shown all = shown;
    for (const std::size_t i : wide) show(all, fit(whole[i], columns, tail), whole[i]);
    std::vector<std::size_t> alike;
    for (const std::size_t i : wide) {
      std::string cut = fit(whole[i], columns, tail);
      const bool alone = !all.at(cut).empty();
      if (alone) show(shown, cut, whole[i]);
      if (!alone) alike.push_back(i);
      if (alone || tail <= columns / 2) cells[i] = std::move(cut);  // cells that stay alike are cut in the middle
    }
    wide = std::move(alike);
  }
  cut_both_ends(cells, whole, wide, columns, shown);
}

}  // namespace twtrace::base
