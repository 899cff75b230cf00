// SPDX-License-Identifier: Apache-2.0
#include "output/text_grid.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

#include "base/cut_apart.hpp"
#include "base/format.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {
namespace {

/// Blanks between columns. The narrow value applies if a text column would have to be cut.
constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowGap = 1;
/// Text columns shrink to the first of these. If numbers still have no room, large counts are shortened, and text
/// columns shrink to the second: a number is never cut while a name can be.
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

/// The width of a column as its widest cell needs it.
std::size_t natural_width(const Grid& grid, std::size_t column) {
  std::size_t width = base::display_width(grid.columns[column].title);
  for (const auto& row : grid.rows) width = std::max(width, base::display_width(row[column]));
  return width;
}

/// The least width of a grid whose names are not cut below `narrowest`.
std::size_t least_width(const Grid& grid, std::size_t narrowest) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    std::size_t width = natural_width(grid, i);
    if (grid.columns[i].align == base::Align::kLeft) width = std::min(width, narrowest);
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

/// A count as base::human_count() says it, with its sign. Any other cell, and a small count, stays as it is: a pid
/// has no commas.
std::string shortened(const std::string& cell) {
  constexpr std::uint64_t kShort = 10'000;
  if (cell.find(',') == std::string::npos) return cell;
  const std::size_t sign = cell.find_first_of("+-") == 0 ? 1 : 0;
  std::string digits = cell.substr(sign);
  std::erase(digits, ',');
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{} || end != digits.data() + digits.size() || count < kShort) return cell;
  return cell.substr(0, sign) + base::human_count(count);
}

/// Shortens the counts of the widest column in which this helps. False if there is none.
bool shorten_one(Grid& grid) {
  std::size_t widest = grid.columns.size();
  std::size_t most = 0;
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const std::size_t before = natural_width(grid, i);
    if (grid.columns[i].align == base::Align::kLeft || before <= most) continue;
    std::vector<std::string> shorter;
    std::size_t width = base::display_width(grid.columns[i].title);
    for (const auto& row : grid.rows)
      width = std::max(width, base::display_width(shorter.emplace_back(shortened(row[i]))));
    if (width == before) continue;
    widest = i;
    most = before;
    cells = std::move(shorter);
  }
  if (widest == grid.columns.size()) return false;
  for (std::size_t row = 0; row < grid.rows.size(); ++row) grid.rows[row][widest] = std::move(cells[row]);
  return true;
}

/// Leaves out columns that can be spared until the others fit, then shortens counts.
Grid fitting(Grid grid) {
  for (const int spare : {1, 2}) {
    if (least_width(grid, kNarrowest[0]) > kTextColumns) leave_out(grid, spare);
  }
  while (least_width(grid, kNarrowest[0]) > kTextColumns && shorten_one(grid)) {
  }
  return grid;
}

Layout layout_of(const Grid& grid) {
  Layout layout;
  std::vector<std::size_t>& widths = layout.widths;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const std::size_t width = natural_width(grid, i);
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

void cut_columns(Grid& grid, const Layout& layout) {
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    if (grid.columns[i].align != base::Align::kLeft) continue;
    std::vector<std::string> cells(grid.rows.size());
    for (std::size_t row = 0; row < cells.size(); ++row) cells[row] = std::move(grid.rows[row][i]);
    base::cut_apart(cells, layout.widths[i]);
    for (std::size_t row = 0; row < cells.size(); ++row) grid.rows[row][i] = std::move(cells[row]);
  }
}

}  // namespace

std::string text_grid(Grid grid) {
  for (auto& row : grid.rows) {
    for (std::string& cell : row) cell = base::sanitize_terminal(cell);
  }
  grid = fitting(std::move(grid));
  const Layout layout = layout_of(grid);
  cut_columns(grid, layout);
  std::vector<std::string> titles;
  for (const GridColumn& column : grid.columns) titles.push_back(column.title);
  std::string out = line(grid, titles, layout);
  for (const auto& row : grid.rows) out += line(grid, row, layout);
  return out;
}

}  // namespace twtrace::output
