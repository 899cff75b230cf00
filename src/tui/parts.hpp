// SPDX-License-Identifier: Apache-2.0
// The parts of a screen. Each has one source file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tui/composer.hpp"
#include "tui/frame.hpp"
#include "tui/layout.hpp"
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
  bool tabs = false;       ///< a line with the names of the views
  bool titles = false;     ///< a line of column titles
  Area body;
  bool hint = false;  ///< the last line
};

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
/// `rows` begins with the first shown row. Rows that do not fit are left out.
void draw_rows(Frame& frame, const TableArea& where, std::vector<model::Row> rows, model::Group group,
               const Picture& picture, const ViewState& state, const DrawOptions& options);
void draw_events(Frame& frame, const TableArea& where, const Picture& picture);

/// The details of a row, scrolled by ViewState::scroll.
std::size_t detail_height(const Picture& picture);
void draw_detail(Frame& frame, Area area, const Picture& picture, const ViewState& state, const DrawOptions& options);

std::size_t help_height();
void draw_help(Frame& frame, Area area, const ViewState& state);
void draw_sort_menu(Frame& frame, Area area, const ViewState& state);
/// The last line: keys, a prompt, or a notice.
void draw_hint(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state);

/// Cells of a fitted table: the titles, or one line.
void write_titles(Frame& frame, std::size_t row, std::size_t margin, const std::vector<view::FittedColumn>& table,
                  std::optional<view::SortColumn> sorted);
void write_cells(Frame& frame, std::size_t row, std::size_t margin, const std::vector<view::FittedColumn>& table,
                 std::size_t index, Style style);

}  // namespace twtrace::tui
