// SPDX-License-Identifier: Apache-2.0
// Which columns the user wants to see.
#include <algorithm>

#include "tui/parts.hpp"

namespace twtrace::tui {
namespace {

/// Those that the user has asked for go last when the screen is narrow.
constexpr int kAskedFor = 1;

/// True for a column that is shown unless the user takes it away.
bool is_usual(const view::LiveColumns& columns, std::size_t index, const Picture& picture) {
  const bool says_something =
      columns.all[index].name != columns.telling_netns_apart || picture.snapshot.namespaces.size() > 1;
  return index < columns.usual && says_something;
}

}  // namespace

bool is_chosen(const view::LiveColumns& columns, std::size_t index, const Picture& picture, const TabState& tab) {
  const auto toggled = std::find(tab.toggled.begin(), tab.toggled.end(), columns.all[index].name);
  return is_usual(columns, index, picture) != (toggled != tab.toggled.end());
}

std::vector<view::Column> shown_columns(const Picture& picture, model::Group group, const TabState& tab) {
  const view::LiveColumns& columns = view::live_columns(group);
  std::vector<view::Column> shown;
  // The first step only brings back what has gone for want of room.
  std::size_t scrolled = tab.left == 0 ? 0 : tab.left - 1;
  for (std::size_t i = 0; i < columns.all.size(); ++i) {
    if (!is_chosen(columns, i, picture, tab)) continue;
    view::Column column = columns.all[i];
    if (!is_usual(columns, i, picture)) column.priority = std::min(column.priority, kAskedFor);
    const bool names_row = column.name == view::label_column(group);
    if (scrolled != 0 && !names_row) {
      --scrolled;
      continue;
    }
    // While the user scrolls, columns go from the right (see fit_rows), and what names the row stays.
    if (tab.left != 0) column.priority = names_row ? 0 : 1;
    shown.push_back(column);
  }
  return shown;
}

}  // namespace twtrace::tui
