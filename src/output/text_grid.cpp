// SPDX-License-Identifier: Apache-2.0
#include "output/text_grid.hpp"

#include <algorithm>

#include "output/wrap.hpp"

namespace twtrace::output {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;

std::string line(const Grid& grid, const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string text;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    text += (i == 0 ? std::string() : std::string(kGap, ' ')) + base::pad(cells[i], widths[i], grid.columns[i].align);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return base::fit(text, kTextColumns) + "\n";
}

std::vector<std::size_t> widths_of(const Grid& grid, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    std::size_t width = base::display_width(grid.columns[i].title);
    for (const auto& row : rows) width = std::max(width, base::display_width(row[i]));
    widths.push_back(width);
    sum += width + (i == 0 ? 0 : kGap);
  }
  while (sum > kTextColumns) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool text = grid.columns[i].align == base::Align::kLeft && widths[i] > kNarrowest;
      if (text && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) break;
    --widths[widest];
    --sum;
  }
  return widths;
}

}  // namespace

std::string text_grid(const Grid& grid) {
  std::vector<std::vector<std::string>> rows = grid.rows;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = base::sanitize_terminal(cell);
  }
  const std::vector<std::size_t> widths = widths_of(grid, rows);
  std::vector<std::string> titles;
  for (const GridColumn& column : grid.columns) titles.push_back(column.title);
  std::string out = line(grid, titles, widths);
  for (const auto& row : rows) out += line(grid, row, widths);
  return out;
}

}  // namespace twtrace::output
