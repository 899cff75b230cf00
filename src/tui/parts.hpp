// SPDX-License-Identifier: Apache-2.0
// The parts of a screen, one source file each.
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
/// Spans two blanks apart. One that does not fit whole is left out, the first is cut.
using StyledLine = std::vector<Span>;
void write_line(Frame& frame, std::size_t row, const StyledLine& line);

/// Lines of the screen for one part.
struct Area {
  std::size_t first = 0;
  std::size_t rows = 0;
};

/// How the screen is shared out.
struct Plan {
  std::size_t header = 0;  ///< lines at the top
  bool tabs = false;       ///< a line that names the views
  bool titles = false;     ///< a line of column titles
  Area body;
  bool hint = false;  ///< the last line
};

/// The lines above everything else, the most important first; as many as a screen of this size can spare.
std::vector<StyledLine> header_lines(const Picture& picture, const ViewState& state, Size size, Charset charset);
/// Only their number.
std::size_t header_height(const Picture& picture, Size size);

/// Rows of a table below their titles. `selected` counts as `first` does; none: SIZE_MAX.
struct TableArea {
  Area area;  ///< the titles come first
  bool titles = true;
  std::size_t first = 0;  ///< where the first one shown is in the whole table
  std::size_t selected = SIZE_MAX;
};
/// `rows` begin with the first one shown; those that do not fit are left out.
void draw_rows(Frame& frame, const TableArea& where, std::vector<model::Row> rows, model::Group group,
               const Picture& picture, const ViewState& state, const DrawOptions& options);
void draw_events(Frame& frame, const TableArea& where, const Picture& picture);

/// The details of a row, scrolled by ViewState::scroll.
std::size_t detail_height(const Picture& picture);
void draw_detail(Frame& frame, Area area, const Picture& picture, const ViewState& state, const DrawOptions& options);

std::size_t help_height();
void draw_help(Frame& frame, Area area, const ViewState& state);
void draw_sort_menu(Frame& frame, Area area, const ViewState& state);
/// The last line: keys, or what is being typed, or a notice.
void draw_hint(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state);

/// Cells of a fitted table: titles, or one line.
void write_titles(Frame& frame, std::size_t row, std::size_t margin, const std::vector<view::FittedColumn>& table,
                  std::optional<view::SortColumn> sorted);
void write_cells(Frame& frame, std::size_t row, std::size_t margin, const std::vector<view::FittedColumn>& table,
                 std::size_t index, Style style);

}  // namespace twtrace::tui
