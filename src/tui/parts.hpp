// SPDX-License-Identifier: Apache-2.0
// The parts of a screen. Each has one source file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tui/composer.hpp"
#include "tui/draw_options.hpp"
#include "tui/frame.hpp"
#include "tui/view_state.hpp"
#include "view/fitted_table.hpp"

namespace twtrace::tui {

/// Text with one meaning.
struct Span {
  std::string text;
  Style style = Style::kNormal;
};
/// Spans separated by two blanks. A span that does not fit is left out; the first one is cut instead.
using StyledLine = std::vector<Span>;
void write_line(Frame& frame, std::size_t row, const StyledLine& line);

/// Lines of the screen for one part.
struct Area {
  std::size_t first = 0;
  std::size_t rows = 0;
};

/// How the parts share the screen.
struct Plan {
  std::size_t header = 0;  ///< lines at the top
  Area graph;              ///< no lines where there is no room for one
  bool tabs = false;       ///< a line with the names of the views
  bool titles = false;     ///< a line of column titles
  Area body;
  bool hint = false;  ///< the last line
};

Plan plan_of(const Picture& picture, const ViewState& state, Size size);
/// True if this screen has room for a graph.
bool has_graph(const Picture& picture, Size size);
/// Rows or lines of what the body shows, whether or not they fit.
std::size_t lines_in_all(const Picture& picture, const ViewState& state);
/// Lines of the body below the titles.
std::size_t page_of(const Plan& plan);

/// The table of the fullest namespace over the last minutes: buckets in use against the limit, refusals, and marks.
void draw_graph(Frame& frame, Area area, const Picture& picture);

/// The line with the names of the views, and what the table below shows.
void draw_tabs(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state, std::size_t page);
/// The view whose name is at this column of the line, on a screen of this width.
std::optional<std::size_t> tab_at(const ViewState& state, std::size_t column, std::size_t width);

/// The lines above everything else, most important first, as many as a screen of this size can spare.
std::vector<StyledLine> header_lines(const Picture& picture, const ViewState& state, Size size, Charset charset);
/// Only the number of these lines.
std::size_t header_height(const Picture& picture, Size size);

/// Rows of a table below their titles. `selected` counts like `first`; SIZE_MAX: none.
struct TableArea {
  Area area;  ///< the titles come first
  bool titles = true;
  std::size_t first = 0;  ///< index of the first shown row in the whole table
  std::size_t selected = SIZE_MAX;
};

/// True for a column that the user wants to see, wherever it is scrolled to.
bool is_chosen(const view::LiveColumns& columns, std::size_t index, const Picture& picture, const TabState& tab);
/// The columns of a group that the user wants to see, with what is scrolled away left out.
std::vector<view::Column> shown_columns(const Picture& picture, model::Group group, const TabState& tab);

/// Rows as they are on the screen. Movable, but not copyable: `cells` points into `columns`.
struct RowsTable {
  RowsTable() = default;
  RowsTable(RowsTable&&) noexcept = default;
  RowsTable& operator=(RowsTable&&) noexcept = default;
  RowsTable(const RowsTable&) = delete;
  RowsTable& operator=(const RowsTable&) = delete;
  ~RowsTable() = default;

  std::vector<view::Column> columns;
  std::vector<model::Row> rows;
  std::vector<view::FittedColumn> cells;
};

/// What of `rows`, which begin with the first shown one, fits into `where` and into the width of the screen.
RowsTable fit_rows(const TableArea& where, std::vector<model::Row> rows, model::Group group, const TabState& tab,
                   const Picture& picture, const ViewState& state, const DrawOptions& options, std::size_t width);
/// The same for the current view.
RowsTable fit_view(const Plan& plan, const Picture& picture, const ViewState& state, const DrawOptions& options,
                   std::size_t width);
void draw_rows(Frame& frame, const TableArea& where, const RowsTable& table, std::optional<view::SortColumn> sorted);
void draw_events(Frame& frame, const TableArea& where, const Picture& picture);

/// The details of a row, scrolled by ViewState::scroll.
std::size_t detail_height(const Picture& picture);
void draw_detail(Frame& frame, Area area, const Picture& picture, const ViewState& state, const DrawOptions& options);

std::size_t help_height();
void draw_help(Frame& frame, Area area, const ViewState& state);
void draw_sort_menu(Frame& frame, Area area, const ViewState& state);
void draw_column_menu(Frame& frame, Area area, const Picture& picture, const ViewState& state);
/// The first line of a menu that an area shows.
std::size_t first_of_menu(const ViewState& state, Area area);
/// The last line: keys, a prompt, or a notice.
void draw_hint(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state);

/// Cells of a fitted table: the titles, or one line.
void write_titles(Frame& frame, std::size_t row, std::size_t margin, const std::vector<view::FittedColumn>& table,
                  std::optional<view::SortColumn> sorted);
void write_cells(Frame& frame, std::size_t row, std::size_t margin, const std::vector<view::FittedColumn>& table,
                 std::size_t index, Style style);

}  // namespace twtrace::tui
