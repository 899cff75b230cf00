// SPDX-License-Identifier: Apache-2.0
#include "output/text_grid.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/cut_apart.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {
namespace {

/// Blanks between columns. The narrow value applies if a text column would have to be cut.
constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowGap = 1;
/// Text columns shrink to the first of these. If numbers still have no room, to the second: a number is never cut
/// while a name can be.
constexpr std::size_t kNarrowest[] = {8, 4};

/// The layout of a grid.
struct Layout {
  std::vector<std::size_t> widths;
  std::size_t gap = kGap;
};

std::string line(const Grid& grid, const std::vector<std::string>& cells, const Layout& layout) {
  std::string text;
  for (std::size_t i = 0; i < layout.widths.size(); ++i) {
    if (i != 0) text.append(layout.gap, ' ');
    text += base::pad(cells[i], layout.widths[i], grid.columns[i].align);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return base::fit(text, kTextColumns) + "\n";
}

/// The least width of a grid whose names are not cut below the first of kNarrowest.
std::size_t least_width(const Grid& grid) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    std::size_t width = base::display_width(grid.columns[i].title);
    for (const auto& row : grid.rows) width = std::max(width, base::display_width(row[i]));
    if (grid.columns[i].align == base::Align::kLeft) width = std::min(width, kNarrowest[0]);
    sum += width + (i == 0 ? 0 : kNarrowGap);
  }
  return sum;
}

void leave_out(Grid& grid, int spare) {
  for (std::size_t i = grid.columns.size(); i-- > 0;) {
    if (grid.columns[i].spare != spare) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    grid.columns.erase(grid.columns.begin() + at);
    for (auto& row : grid.rows) row.erase(row.begin() + at);
  }
}

/// Leaves out columns that can be spared until the others fit.
Grid fitting(Grid grid) {
  for (const int spare : {1, 2}) {
    if (least_width(grid) > kTextColumns) leave_out(grid, spare);
  }
  return grid;
}

Layout layout_of(const Grid& grid, const std::vector<std::vector<std::string>>& rows) {
  Layout layout;
  std::vector<std::size_t>& widths = layout.widths;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    std::size_t width = base::display_width(grid.columns[i].title);
    for (const auto& row : rows) width = std::max(width, base::display_width(row[i]));
    widths.push_back(width);
    sum += width + (i == 0 ? 0 : kGap);
  }
  if (sum > kTextColumns && !widths.empty()) {
    layout.gap = kNarrowGap;
    sum -= (widths.size() - 1) * (kGap - kNarrowGap);
  }
  for (const std::size_t narrowest : kNarrowest) {
    while (sum > kTextColumns) {
      std::size_t widest = widths.size();
      for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool text = grid.columns[i].align == base::Align::kLeft && widths[i] > narrowest;
        if (text && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
      }
      if (widest == widths.size()) break;
      --widths[widest];
      --sum;
    }
  }
  return layout;
}

void cut_columns(const Grid& grid, std::vector<std::vector<std::string>>& rows, const Layout& layout) {
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    if (grid.columns[i].align != base::Align::kLeft) continue;
    std::vector<std::string> cells(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) cells[row] = std::move(rows[row][i]);
    base::cut_apart(cells, layout.widths[i]);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row][i] = std::move(cells[row]);
  }
}

}  // namespace

std::string text_grid(const Grid& whole) {
  Grid grid = whole;
  for (auto& row : grid.rows) {
    for (std::string& cell : row) cell = base::sanitize_terminal(cell);
  }
  grid = fitting(std::move(grid));
  std::vector<std::vector<std::string>> rows = grid.rows;
  const Layout layout = layout_of(grid, rows);
  cut_columns(grid, rows, layout);
  std::vector<std::string> titles;
  for (const GridColumn& column : grid.columns) titles.push_back(column.title);
  std::string out = line(grid, titles, layout);
  for (const auto& row : rows) out += line(grid, row, layout);
  return out;
}

}  // namespace twtrace::output
