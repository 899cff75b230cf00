// SPDX-License-Identifier: Apache-2.0
// The line with the names of the views.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"

namespace twtrace::tui {
namespace {

constexpr std::array<std::string_view, kTabs> kTabNames = {"Processes", "Services",   "Ports",
                                                           "Peers",     "Namespaces", "Events"};
constexpr std::size_t kAllNames = 62;  // columns for all names with their numbers
constexpr std::size_t kRoomy = 100;

/// The name of a view as the line shows it; empty where there is room only for the current one.
std::string tab_text(const ViewState& state, std::size_t tab, std::size_t width) {
  const bool is_current = tab == static_cast<std::size_t>(state.tab);
  if (!is_current && width < kAllNames) return {};
  const std::string text = fmt::format("{}{}{}", tab + 1, width < kRoomy ? "" : " ", kTabNames[tab]);
  return is_current ? '[' + text + ']' : text;
}

std::string_view sort_name(view::SortColumn column) {
  return column == view::SortColumn::kUse ? "use" : view::sort_name_of(column);
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

}  // namespace

std::optional<std::size_t> tab_at(const ViewState& state, std::size_t column, std::size_t width) {
  std::size_t end = 0;
  for (std::size_t tab = 0; tab < kTabs; ++tab) {
    const std::string text = tab_text(state, tab, width);
    if (text.empty()) continue;
    const std::size_t begin = end == 0 ? 0 : end + 1;
    end = begin + text.size();
    if (column >= begin && column < end) return tab;
  }
  return std::nullopt;
}

void draw_tabs(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state, std::size_t page) {
  std::size_t column = 0;
  for (std::size_t tab = 0; tab < kTabs; ++tab) {
    const std::string text = tab_text(state, tab, frame.size().columns);
    if (text.empty()) continue;
    if (column != 0) ++column;
    column = frame.write(row, column, text, text.front() == '[' ? Style::kTab : Style::kNormal);
  }
  const std::string words = state_words(picture, state, page);
  const std::size_t width = base::display_width(words);
  if (column + 2 + width <= frame.size().columns) {
    frame.write(row, frame.size().columns - width, words, Style::kDim);
  } else if (column + 4 < frame.size().columns) {
    frame.write(row, column + 2, base::fit(words, frame.size().columns - column - 2), Style::kDim);
  }
}

}  // namespace twtrace::tui
