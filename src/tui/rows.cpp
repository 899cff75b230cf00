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

void draw_rows(Frame& frame, const TableArea& where, std::vector<Row> rows, model::Group group, const Picture& picture,
               const ViewState& state, const DrawOptions& options) {
  const std::size_t titles = where.titles ? 1 : 0;
  const std::size_t room = where.area.rows - std::min(where.area.rows, titles);
  rows.resize(std::min(rows.size(), room));
  put_command_lines(rows, state, options);
  const std::vector<FittedColumn> table =
      view::fit_columns(view::live_columns(group), group, picture.snapshot.probe, rows, frame.size().columns);
  if (titles != 0) {
    write_titles(frame, where.area.first, view::kMarkColumns, table,
                 where.selected == SIZE_MAX ? std::nullopt : std::optional(state.current().sort));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool selected = where.first + i == where.selected;
    const Style style = style_of(rows[i], selected);
    const std::size_t line = where.area.first + titles + i;
    if (selected) frame.paint(line, 0, style);
    frame.write(line, 0, view::row_marks(rows[i]), style);
    write_cells(frame, line, view::kMarkColumns, table, i, style);
  }
}

}  // namespace twtrace::tui
