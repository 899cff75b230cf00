// SPDX-License-Identifier: Apache-2.0
#include "base/cut_apart.hpp"

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
}

}  // namespace twtrace::base
