// SPDX-License-Identifier: Apache-2.0
#include "tui/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"
#include "view/columns.hpp"

namespace twtrace::tui {
namespace {

constexpr std::size_t kRowsForHint = 3;
constexpr std::size_t kRowsForTitles = 4;
constexpr std::size_t kRowsForTabs = 8;
constexpr std::array<std::string_view, kTabs> kTabNames = {"Processes", "Services",   "Ports",
                                                           "Peers",     "Namespaces", "Events"};

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
  plan.tabs = size.rows >= kRowsForTabs && take(1) == 1;
  const bool is_table = state.mode != Mode::kDetail && state.mode != Mode::kHelp && state.mode != Mode::kSortMenu;
  plan.titles = is_table && size.rows >= kRowsForTitles;
  plan.body = {plan.header + (plan.tabs ? 1U : 0U), left};
  return plan;
}

std::size_t lines_in_all(const Picture& picture, const ViewState& state) {
  if (state.mode == Mode::kDetail) return detail_height(picture);
  if (state.mode == Mode::kHelp) return help_height();
  return state.tab == Tab::kEvents ? picture.events.size() : picture.rows.size();
}

std::size_t page_of(const Plan& plan) { return plan.body.rows - std::min<std::size_t>(plan.body.rows, plan.titles); }

std::string_view sort_name(view::SortColumn column) {
  for (const view::SortName& name : view::sort_names()) {
    if (name.column == column) return name.name;
  }
  return "use";
}

/// Describes the rows below: order, filter, hidden rows, and position.
std::string state_words(const Picture& picture, const ViewState& state, std::size_t page) {
  std::string words;
  const auto add = [&words](const std::string& word) { words += (words.empty() ? "" : "  ") + word; };
  const std::size_t rows = lines_in_all(picture, state);
  if (picture.zeroed_s) add("since " + base::duration(*picture.zeroed_s));
  if (!state.filter.empty()) add("/" + base::fit(base::sanitize_terminal(state.filter), 16));
  if (state.hide_idle) add("no idle");
  if (state.follow) add("following");
  if (state.tab != Tab::kEvents && state.mode == Mode::kRows) {
    add(fmt::format("by {}{}", sort_name(state.current().sort), state.current().reverse ? " reversed" : ""));
  }
  const bool scrolls = state.mode == Mode::kDetail || state.mode == Mode::kHelp;
  const std::size_t top = scrolls ? state.scroll : state.current().top;
  add(fmt::format("{}-{}/{}", std::min(top + 1, rows), std::min(top + page, rows), rows));
  return words;
}

void draw_tabs(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state, std::size_t page) {
  std::size_t column = 0;
  const auto current = static_cast<std::size_t>(state.tab);
  constexpr std::size_t kAllNames = 62;  // room for all names with their numbers
  constexpr std::size_t kRoomy = 100;
  for (std::size_t tab = 0; tab < kTabs; ++tab) {
    const bool is_current = tab == current;
    if (!is_current && frame.size().columns < kAllNames) continue;
    const std::string text = fmt::format("{}{}{}", tab + 1, frame.size().columns < kRoomy ? "" : " ", kTabNames[tab]);
    if (column != 0) ++column;
    column = frame.write(row, column, is_current ? '[' + text + ']' : text, is_current ? Style::kTab : Style::kNormal);
  }
  const std::string words = state_words(picture, state, page);
  const std::size_t width = base::display_width(words);
  if (column + 2 + width <= frame.size().columns) {
    frame.write(row, frame.size().columns - width, words, Style::kDim);
  } else if (column + 4 < frame.size().columns) {
    frame.write(row, column + 2, base::fit(words, frame.size().columns - column - 2), Style::kDim);
  }
}

}  // namespace

Context context_of(const Picture& picture, const ViewState& state, Size size) {
  Context context;
  context.rows = lines_in_all(picture, state);
  context.page = page_of(plan_of(picture, state, size));
  context.oldest = picture.oldest;
  context.newest = picture.newest;
  context.minute_earlier = picture.minute_earlier;
  context.minute_later = picture.minute_later;
  context.zero = picture.zero;
  for (const view::Column& column : view::live_columns(group_of(state))) {
    if (column.sort) context.sort_columns.push_back(*column.sort);
  }
  if (state.tab == Tab::kEvents) return context;
  const std::size_t selected = state.current().selected;
  if (selected < picture.rows.size()) context.selected_id = picture.rows.id_at(selected);
  if (state.follow) context.followed = picture.rows.find(*state.follow);
  return context;
}

Frame draw(const Picture& picture, const ViewState& state, Size size, const DrawOptions& options) {
  Frame frame(size, options.charset);
  const Plan plan = plan_of(picture, state, size);
  const std::vector<StyledLine> header = header_lines(picture, state, size, options.charset);
  for (std::size_t i = 0; i < plan.header && i < header.size(); ++i) write_line(frame, i, header[i]);
  if (plan.tabs) draw_tabs(frame, plan.header, picture, state, page_of(plan));
  const TableArea table{plan.body, plan.titles, state.current().top, state.current().selected};
  if (state.mode == Mode::kDetail) {
    draw_detail(frame, plan.body, picture, state, options);
  } else if (state.mode == Mode::kHelp) {
    draw_help(frame, plan.body, state);
  } else if (state.mode == Mode::kSortMenu) {
    draw_sort_menu(frame, plan.body, state);
  } else if (!picture.no_rows.empty()) {
    if (plan.body.rows != 0) frame.write(plan.body.first, 1, base::sanitize_terminal(picture.no_rows), Style::kBold);
  } else if (state.tab == Tab::kEvents) {
    draw_events(frame, table, picture);
  } else {
    draw_rows(frame, table, picture.rows.rows(table.first, table.area.rows), picture.snapshot.group, picture, state,
              options);
  }
  if (plan.hint) draw_hint(frame, size.rows - 1, picture, state);
  return frame;
}

}  // namespace twtrace::tui
