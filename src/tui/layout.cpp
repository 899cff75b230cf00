// SPDX-License-Identifier: Apache-2.0
#include "tui/layout.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "tui/parts.hpp"
#include "view/columns.hpp"

namespace twtrace::tui {
namespace {

constexpr std::size_t kRowsForHint = 3;
constexpr std::size_t kRowsForTitles = 4;
constexpr std::size_t kRowsForTabs = 8;
constexpr Size kSizeForGraph{30, 120};
constexpr std::size_t kShortestGraph = 8;
constexpr std::size_t kTallestGraph = 16;

bool is_table(Mode mode) { return mode == Mode::kRows || mode == Mode::kFilter || mode == Mode::kDelay; }
bool is_menu(Mode mode) { return mode == Mode::kSortMenu || mode == Mode::kColumnMenu; }

/// The row, title or view that lies there.
std::optional<KeyAction> click_on_table(const Plan& plan, const Picture& picture, const ViewState& state,
                                        const DrawOptions& options, Size size, const Key& click) {
  if (state.tab == Tab::kEvents || !picture.no_rows.empty()) return std::nullopt;
  const std::size_t line = click.row - plan.body.first;
  if (!plan.titles || line != 0) {
    const std::size_t index = state.current().top + line - (plan.titles ? 1 : 0);
    if (index >= picture.rows.size()) return std::nullopt;
    return KeyAction{Action::kOpenRow, index, 0, picture.rows.id_at(index)};
  }
  std::size_t column = view::kMarkColumns;
  const RowsTable table = fit_view(plan, picture, state, options, size.columns);
  for (const view::FittedColumn& filled : table.cells) {
    column += 1 + filled.width;
    if (click.column >= column) continue;
    if (!filled.column->sort) return std::nullopt;
    return KeyAction{Action::kSortColumn, static_cast<std::size_t>(*filled.column->sort)};
  }
  return std::nullopt;
}

}  // namespace

Plan plan_of(const Picture& picture, const ViewState& state, Size size) {
  Plan plan;
  std::size_t left = size.rows;
  const auto take = [&left](std::size_t rows) {
    const std::size_t taken = std::min(rows, left);
    left -= taken;
    return taken;
  };
  plan.hint = size.rows >= kRowsForHint && take(1) == 1;
  // On a small screen the header leaves room for the titles and a row.
  plan.header = take(std::min(header_height(picture, size), size.rows > 4 ? size.rows - 3 : 1));
  plan.graph.first = plan.header;
  if (is_table(state.mode) && has_graph(picture, size)) {
    plan.graph.rows = take(std::clamp(size.rows / 3, kShortestGraph, kTallestGraph));
  }
  plan.tabs = size.rows >= kRowsForTabs && take(1) == 1;
  plan.titles = is_table(state.mode) && size.rows >= kRowsForTitles;
  plan.body = {plan.header + plan.graph.rows + (plan.tabs ? 1U : 0U), left};
  return plan;
}

bool has_graph(const Picture& picture, Size size) {
  return size.rows >= kSizeForGraph.rows && size.columns >= kSizeForGraph.columns && !picture.trend.empty();
}

std::size_t lines_in_all(const Picture& picture, const ViewState& state) {
  if (state.mode == Mode::kDetail) return detail_height(picture);
  if (state.mode == Mode::kHelp) return help_height();
  return state.tab == Tab::kEvents ? picture.events.size() : picture.rows.size();
}

std::size_t page_of(const Plan& plan) { return plan.body.rows - std::min<std::size_t>(plan.body.rows, plan.titles); }

Context context_of(const Picture& picture, const ViewState& state, Size size) {
  Context context;
  const Plan plan = plan_of(picture, state, size);
  context.rows = lines_in_all(picture, state);
  context.page = page_of(plan);
  context.oldest = picture.oldest;
  context.newest = picture.newest;
  context.minute_earlier = picture.minute_earlier;
  context.minute_later = picture.minute_later;
  context.zero = picture.zero;
  if (state.tab == Tab::kEvents) return context;
  if (state.mode == Mode::kColumnMenu) {
    const view::LiveColumns& columns = view::live_columns(group_of(state));
    for (std::size_t i = 0; i < columns.all.size(); ++i) {
      context.chosen.push_back(is_chosen(columns, i, picture, state.current()));
    }
  }
  if (state.mode == Mode::kRows) {
    const RowsTable table = fit_view(plan, picture, state, {}, size.columns);
    context.more_columns = table.cells.size() < table.columns.size();
    for (const view::Column& column : table.columns) {
      if (column.sort) context.sort_columns.push_back(*column.sort);
    }
  }
  const std::size_t selected = state.current().selected;
  if (selected < picture.rows.size()) context.selected_id = picture.rows.id_at(selected);
  if (state.follow) context.followed = picture.rows.find(*state.follow);
  return context;
}

std::optional<KeyAction> click_action(const Picture& picture, const ViewState& state, Size size,
                                      const DrawOptions& options, const Key& click) {
  const Plan plan = plan_of(picture, state, size);
  const std::size_t body_end = plan.body.first + plan.body.rows;
  if (plan.tabs && click.row == plan.body.first - 1 && state.mode != Mode::kHelp) {
    const auto tab = tab_at(state, click.column, size.columns);
    return tab ? std::optional(KeyAction{Action::kView, *tab}) : std::nullopt;
  }
  if (click.row < plan.body.first || click.row >= body_end) return std::nullopt;
  if (state.mode == Mode::kRows) return click_on_table(plan, picture, state, options, size, click);
  if (!is_menu(state.mode)) return std::nullopt;
  const std::size_t line = first_of_menu(state, plan.body) + click.row - plan.body.first;
  return line < menu_lines(state) ? std::optional(KeyAction{Action::kMenuLine, line}) : std::nullopt;
}

Frame draw(const Picture& picture, const ViewState& state, Size size, const DrawOptions& options) {
  Frame frame(size, options.charset);
  const Plan plan = plan_of(picture, state, size);
  const std::vector<StyledLine> header = header_lines(picture, state, size, options.charset);
  for (std::size_t i = 0; i < plan.header && i < header.size(); ++i) write_line(frame, i, header[i]);
  if (plan.graph.rows != 0) draw_graph(frame, plan.graph, picture);
  if (plan.tabs) draw_tabs(frame, plan.body.first - 1, picture, state, page_of(plan));
  const TableArea table{plan.body, plan.titles, state.current().top, state.current().selected};
  if (state.mode == Mode::kDetail) {
    draw_detail(frame, plan.body, picture, state, options);
  } else if (state.mode == Mode::kHelp) {
    draw_help(frame, plan.body, state);
  } else if (state.mode == Mode::kSortMenu) {
    draw_sort_menu(frame, plan.body, state);
  } else if (state.mode == Mode::kColumnMenu) {
    draw_column_menu(frame, plan.body, picture, state);
  } else if (!picture.no_rows.empty()) {
    if (plan.body.rows != 0) frame.write(plan.body.first, 1, base::sanitize_terminal(picture.no_rows), Style::kBold);
  } else if (state.tab == Tab::kEvents) {
    draw_events(frame, table, picture);
  } else {
    draw_rows(frame, table, fit_view(plan, picture, state, options, size.columns), state.current().sort);
  }
  if (plan.hint) draw_hint(frame, size.rows - 1, picture, state);
  return frame;
}

}  // namespace twtrace::tui
