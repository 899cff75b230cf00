// SPDX-License-Identifier: Apache-2.0
// Which columns the user wants to see.

#include "tui/parts.hpp"

namespace twtrace::tui {
namespace {

/// True if the sum over all namespaces has some of what the column counts.
bool anybody_was_hurt(const view::Column& column, const Picture& picture) {
  model::Row sum;
  sum.counts = picture.snapshot.totals;
  const view::Value value = column.value(picture.snapshot.probe, sum);
  const auto* count = std::get_if<std::uint64_t>(&value);
  return count != nullptr && *count != 0;
}

/// True for a column that is shown unless the user takes it away.
bool is_usual(const view::LiveColumns& columns, std::size_t index, const Picture& picture, const TabState& tab) {
  const view::Column& column = columns.all[index];
  if (column.sort == tab.sort) return true;
  if (index >= columns.usual) return false;
  if (column.harm) return anybody_was_hurt(column, picture);
  return column.name != columns.telling_netns_apart || picture.snapshot.namespaces.size() > 1;
}

}  // namespace

bool is_chosen(const view::LiveColumns& columns, std::size_t index, const Picture& picture, const TabState& tab) {
  const auto wish = tab.wishes.find(columns.all[index].name);
  return wish == tab.wishes.end() ? is_usual(columns, index, picture, tab) : wish->second;
}

std::vector<view::Column> shown_columns(const Picture& picture, model::Group group, const TabState& tab) {
  const view::LiveColumns& columns = view::live_columns(group);
  std::vector<view::Column> shown;
  // The first step only brings back what has gone for want of room.
  std::size_t scrolled = tab.left == 0 ? 0 : tab.left - 1;
  for (std::size_t i = 0; i < columns.all.size(); ++i) {
    if (!is_chosen(columns, i, picture, tab)) continue;
    view::Column column = columns.all[i];
    const bool asked_for = column.sort == tab.sort || !is_usual(columns, i, picture, tab) ||
                           (column.harm && tab.wishes.contains(column.name));
    if (asked_for) column = view::wanted(column);
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
