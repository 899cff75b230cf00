// SPDX-License-Identifier: Apache-2.0
// Tables of rows and of events. Only what is on the screen becomes text.
#include <algorithm>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"
#include "view/columns.hpp"

namespace twtrace::tui {
namespace {

using model::Row;
using view::FittedColumn;

Style style_of(const Row& row, bool selected) {
  const bool alarming = row.counts.refused() != 0;
  if (selected) return alarming ? Style::kSelectedAlarm : Style::kSelected;
  if (alarming) return Style::kAlarm;
  return row.process && row.process->exited ? Style::kDim : Style::kNormal;
}

/// Replaces names by command lines if the user asked for it.
void put_command_lines(std::vector<Row>& rows, const ViewState& state, const DrawOptions& options) {
  if (!state.command_line || !options.command_line) return;
  for (Row& row : rows) {
    if (!row.process || !row.process->pid || row.process->exited) continue;
    if (auto line = options.command_line(*row.process->pid, row.process->comm)) row.process->comm = std::move(*line);
  }
}

}  // namespace

void write_titles(Frame& frame, std::size_t row, std::size_t margin, const std::vector<FittedColumn>& table,
                  std::optional<view::SortColumn> sorted) {
  frame.paint(row, 0, Style::kTitle);
  std::size_t column = margin;
  for (const FittedColumn& filled : table) {
    const bool is_key = sorted && filled.column != nullptr && filled.column->sort == sorted;
    frame.write(row, column + 1, base::pad(filled.title, filled.width, filled.align),
                is_key ? Style::kSortTitle : Style::kTitle);
    column += 1 + filled.width;
  }
}

void write_cells(Frame& frame, std::size_t row, std::size_t margin, const std::vector<FittedColumn>& table,
                 std::size_t index, Style style) {
  std::size_t column = margin;
  for (const FittedColumn& filled : table) {
    frame.write(row, column + 1, base::pad(filled.cells[index], filled.width, filled.align), style);
    column += 1 + filled.width;
  }
}

RowsTable fit_rows(const TableArea& where, std::vector<Row> rows, model::Group group, const TabState& tab,
                   const Picture& picture, const ViewState& state, const DrawOptions& options, std::size_t width) {
  const std::size_t room = where.area.rows - std::min<std::size_t>(where.area.rows, where.titles ? 1 : 0);
  RowsTable table;
  rows.resize(std::min(rows.size(), room));
  put_command_lines(rows, state, options);
  table.columns = shown_columns(picture, group, tab);
  table.rows = std::move(rows);
  // While the user scrolls, each column comes into sight in its turn.
  const auto dropping = tab.left == 0 ? view::Dropping::kByPriority : view::Dropping::kFromRight;
  table.cells = view::fit_columns(table.columns, group, picture.snapshot.probe, table.rows, width, dropping);
  return table;
}

RowsTable fit_view(const Plan& plan, const Picture& picture, const ViewState& state, const DrawOptions& options,
                   std::size_t width) {
  const TabState& tab = state.current();
  return fit_rows({plan.body, plan.titles, tab.top, tab.selected}, picture.rows.rows(tab.top, plan.body.rows),
                  group_of(state), tab, picture, state, options, width);
}

void draw_rows(Frame& frame, const TableArea& where, const RowsTable& table, std::optional<view::SortColumn> sorted) {
  const std::size_t titles = where.titles && where.area.rows != 0 ? 1 : 0;
  if (titles != 0) write_titles(frame, where.area.first, view::kMarkColumns, table.cells, sorted);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const bool selected = where.first + i == where.selected;
    const Style style = style_of(table.rows[i], selected);
    const std::size_t line = where.area.first + titles + i;
    if (selected) frame.paint(line, 0, style);
    frame.write(line, 0, view::row_marks(table.rows[i]), style);
    write_cells(frame, line, view::kMarkColumns, table.cells, i, style);
  }
}

}  // namespace twtrace::tui
