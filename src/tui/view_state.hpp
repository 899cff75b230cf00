// SPDX-License-Identifier: Apache-2.0
// The choices of the user, and how the actions of keys change them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.hpp"
#include "tui/keymap.hpp"
#include "view/sort.hpp"

namespace twtrace::tui {

enum class Tab : std::uint8_t { kProcesses, kServices, kPorts, kPeers, kNamespaces, kEvents };
inline constexpr std::size_t kTabs = 6;

/// How one view is sorted and where its cursor is.
struct TabState {
  view::SortColumn sort = view::SortColumn::kCreatedRate;
  bool reverse = false;
  std::size_t selected = 0;
  std::size_t top = 0;   ///< first row shown
  std::size_t left = 0;  ///< steps by which the columns are scrolled
  /// Whether the user wants to see a column, by Column::name. Without a wish, the picture decides.
  std::map<std::string_view, bool> wishes;
};

/// The row whose details are open.
struct OpenRow {
  model::Group group = model::Group::kProcess;
  std::uint64_t id = 0;  ///< Row::id
};

inline constexpr double kShortestDelayS = 0.1;  ///< nobody reads faster, and drawing costs time
inline constexpr double kLongestDelayS = 3600;

/// Everything that keys can change. A plain value.
struct ViewState {
  Tab tab = Tab::kProcesses;
  Mode mode = Mode::kRows;
  std::array<TabState, kTabs> tabs;
  model::Group process_group = model::Group::kProcess;  ///< of Tab::kProcesses; kPid with -g pid
  std::optional<OpenRow> open;                          ///< in Mode::kDetail, and below anything that covers it
  std::size_t scroll = 0;                               ///< of details and help
  std::size_t menu = 0;                                 ///< line of the open menu
  std::string filter;
  std::string typed;                       ///< the text in a prompt
  std::string filter_before;               ///< what Esc restores
  std::optional<std::uint64_t> paused_at;  ///< sample; always set in a replay
  bool replay = false;                     ///< no new samples arrive; Space plays the existing ones
  bool playing = false;                    ///< the replay advances by one sample per interval
  std::optional<std::uint64_t> follow;     ///< Row::id
  bool hide_idle = false;
  bool command_line = false;
  double delay_s = 1;
  std::string notice;  ///< one line for the user, until the next key

  TabState& current() { return tabs[static_cast<std::size_t>(tab)]; }
  const TabState& current() const { return tabs[static_cast<std::size_t>(tab)]; }
};

/// The group of rows that a view shows. Tab::kEvents has the group of processes.
model::Group group_of(const ViewState& state);

/// Lines of the open menu.
std::size_t menu_lines(const ViewState& state);

/// What is on the screen now, for actions that depend on it.
struct Context {
  std::size_t rows = 0;                        ///< of the view, or lines of the details
  std::size_t page = 1;                        ///< rows that fit on the screen
  std::uint64_t selected_id = 0;               ///< Row::id under the cursor; 0: none
  std::optional<std::size_t> followed;         ///< index of the followed row
  std::vector<view::SortColumn> sort_columns;  ///< of the columns shown, from the left
  std::vector<bool> chosen;                    ///< in the menu of columns, per line: it is shown
  bool more_columns = false;                   ///< some have no room, so that scrolling shows others
  std::uint64_t oldest = 0;                    ///< samples to step through
  std::uint64_t newest = 0;
  std::uint64_t minute_earlier = 0;
  std::uint64_t minute_later = 0;
  std::uint64_t zero = 0;  ///< sample that counts are shown since; 0: start
};

/// What the caller has to do.
struct Effects {
  bool quit = false;
  bool redraw = false;
  bool write = false;
  std::optional<std::uint64_t> zero;  ///< the sample to count since; 0: start
};

/// The choices after an action, and what the caller has to do about it.
struct Transition {
  ViewState state;
  Effects effects;
};

/// Applies one action. Pure.
Transition update(ViewState state, const KeyAction& pressed, const Context& context);

/// Advances a playing replay to the next sample. Stops at the last one. Pure.
ViewState play_on(ViewState state, const Context& context);

/// Call after new rows or a new size. Keeps the cursor on a row, on the screen, and on the followed row. Pure.
ViewState settle(ViewState state, const Context& context);

}  // namespace twtrace::tui
