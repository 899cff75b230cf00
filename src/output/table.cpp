// SPDX-License-Identifier: Apache-2.0
#include "output/table.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/escape.hpp"
#include "output/summary.hpp"
#include "view/columns.hpp"
#include "view/fitted_table.hpp"

namespace twtrace::output {
namespace {

using view::FittedColumn;

// Removes trailing blanks, because the last column is often text. Cuts the line at `width` if even the remaining
// columns do not fit.
std::string finish(std::string line, std::size_t width) {
  line.erase(line.find_last_not_of(' ') + 1);
  return width == 0 ? line : base::fit(line, width);
}

std::string title_line(const std::vector<FittedColumn>& table) {
  std::string line(view::kMarkColumns, ' ');
  for (const FittedColumn& filled : table) {
    line += ' ' + base::pad(filled.title, filled.width, filled.align);
  }
  return line;
}

std::string row_line(const std::vector<FittedColumn>& table, const model::Row& row, std::size_t index) {
  std::string line = view::row_marks(row);
  for (const FittedColumn& filled : table) {
    line += ' ' + base::pad(filled.cells[index], filled.width, filled.align);
  }
  return line;
}

}  // namespace

std::string snapshot_table(const model::Snapshot& snapshot, const TableOptions& options) {
  const std::vector<view::Column> columns = view::columns_sorted_by(options.sort, snapshot.group, options.wide);
  const std::vector<FittedColumn> table =
      view::fit_columns(columns, snapshot.group, snapshot.probe, snapshot.rows, options.width);
  std::string out = summary(snapshot, options.width, options.color, options.no_netns);
  out += finish(title_line(table), options.width) + '\n';
  for (std::size_t i = 0; i < snapshot.rows.size(); ++i) {
    const model::Row& row = snapshot.rows[i];
    const std::string line = finish(row_line(table, row, i), options.width);
    out += (row.counts.refused() != 0 ? alarm(line, options.color) : line) + '\n';
  }
  if (snapshot.rows.empty() && options.filtered) {
    out += finish(kNoRowMatches, options.width) + '\n';
  }
  if (snapshot.rows_hidden != 0) {
    out += finish(fmt::format("   +{} more rows", fmt::group_digits(snapshot.rows_hidden)), options.width) + '\n';
  }
  return out;
}

}  // namespace twtrace::output
