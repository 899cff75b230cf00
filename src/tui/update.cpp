// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tui/frame.hpp"
#include "tui/view_state.hpp"
#include "view/columns.hpp"
#include "view/row_id.hpp"

namespace twtrace::tui {
namespace {

constexpr std::size_t kWheelRows = 3;
constexpr std::size_t kLongestText = 200;

std::size_t last_of(std::size_t count) { return count == 0 ? 0 : count - 1; }

/// Where a move from `at` leads, among `count` lines.
std::size_t moved(std::size_t at, Action action, std::size_t count, std::size_t page) {
  const auto back = [at](std::size_t by) { return at > by ? at - by : 0; };
  const auto on = [at, count](std::size_t by) { return std::min(at + by, last_of(count)); };
  switch (action) {
    case Action::kUp:
      return back(1);
    case Action::kDown:
      return on(1);
    case Action::kScrollUp:
      return back(kWheelRows);
    case Action::kScrollDown:
      return on(kWheelRows);
    case Action::kPageUp:
      return back(std::max<std::size_t>(page, 2) - 1);
    case Action::kPageDown:
      return on(std::max<std::size_t>(page, 2) - 1);
    case Action::kHome:
      return 0;
    case Action::kEnd:
      return last_of(count);
    default:
      return at;
  }
}

void move(ViewState& state, Action action, const Context& context) {
  switch (state.mode) {
    case Mode::kDetail:
    case Mode::kHelp: {
      const std::size_t last = context.rows > context.page ? context.rows - context.page : 0;
      state.scroll = moved(std::min(state.scroll, last), action, last + 1, context.page);
      return;
    }
    case Mode::kSortMenu:
    case Mode::kColumnMenu:
      state.menu = moved(state.menu, action, menu_lines(state), context.page);
      return;
    case Mode::kRows:
    case Mode::kFilter:
    case Mode::kDelay:
      state.follow.reset();
      state.current().selected = moved(state.current().selected, action, context.rows, context.page);
      return;
  }
}

void show(ViewState& state, std::size_t tab) {
  state.tab = static_cast<Tab>(tab % kTabs);
  state.mode = Mode::kRows;
  state.open.reset();
  state.follow.reset();
}

constexpr const char* kSortOfEvents = "events are always sorted by time";

void sort_by(ViewState& state, view::SortColumn column) {
  if (state.tab == Tab::kEvents) {
    state.notice = kSortOfEvents;
    return;
  }
  if (!view::can_sort(group_of(state), column)) {
    state.notice = fmt::format("the rows of this view have no {} to sort by", view::sort_name_of(column));
    return;
  }
  state.current().sort = column;
  state.current().reverse = false;
}

void sort_beside(ViewState& state, bool right, const std::vector<view::SortColumn>& columns) {
  if (columns.empty()) return sort_by(state, state.current().sort);
  const auto now = std::find(columns.begin(), columns.end(), state.current().sort);
  auto index = static_cast<std::size_t>(now - columns.begin());
  if (now == columns.end()) {
    index = 0;
  } else if (right) {
    index = std::min(index + 1, columns.size() - 1);
  } else if (index > 0) {
    --index;
  }
  sort_by(state, columns[index]);
}

void sort_or_reverse(ViewState& state, view::SortColumn column) {
  if (state.current().sort != column) return sort_by(state, column);
  state.current().reverse = !state.current().reverse;
}

void open_row(ViewState& state, std::uint64_t id) {
  if (state.tab == Tab::kEvents) {
    state.notice = "events have no details; the rows of views 1 to 5 have";
  } else if (id == 0) {
    state.notice = "there is no row to show";
  } else if (id == view::gone_row_id()) {
    state.notice = "this line stands for all namespaces that are gone and not listed; it has no details";
  } else {
    state.open = OpenRow{group_of(state), id};
    state.mode = Mode::kDetail;
    state.scroll = 0;
  }
}

void open_sort_menu(ViewState& state) {
  if (state.tab == Tab::kEvents) {
    state.notice = kSortOfEvents;
    return;
  }
  const auto& names = view::sort_names();
  const auto now = std::find_if(names.begin(), names.end(),
                                [&](const view::SortName& name) { return name.column == state.current().sort; });
  state.menu = now == names.end() ? 0 : static_cast<std::size_t>(now - names.begin());
  state.mode = Mode::kSortMenu;
  state.open.reset();  // sorting applies to the rows
}

void open_column_menu(ViewState& state) {
  if (state.tab == Tab::kEvents) {
    state.notice = "the columns of events cannot be chosen";
    return;
  }
  state.menu = 0;
  state.mode = Mode::kColumnMenu;
  state.open.reset();
}

void toggle_column(ViewState& state, const Context& context) {
  const std::string_view name = view::live_columns(group_of(state)).all[state.menu].name;
  state.current().wishes[name] = state.menu >= context.chosen.size() || !context.chosen[state.menu];
}

void scroll_columns(ViewState& state, bool right, const Context& context) {
  std::size_t& left = state.current().left;
  if (right ? !context.more_columns : left == 0) {
    state.notice = right ? "no column is hidden on the right" : "no column is hidden on the left";
  } else {
    left = right ? left + 1 : left - 1;
  }
}

void set_delay(ViewState& state, double delay_s) {
  state.delay_s = std::clamp(delay_s, kShortestDelayS, kLongestDelayS);
  state.notice = fmt::format("a sample every {:g} s", state.delay_s);
}

/// Returns from help or a prompt to the mode below it.
void uncover(ViewState& state) { state.mode = state.open ? Mode::kDetail : Mode::kRows; }

void accept_delay(ViewState& state) {
  double value = 0;
  const char* end = state.typed.data() + state.typed.size();
  const auto [stop, error] = std::from_chars(state.typed.data(), end, value);
  if (error == std::errc() && stop == end && std::isfinite(value) && value > 0) {
    set_delay(state, value);
  } else {
    state.notice = fmt::format("\"{}\" is not a number of seconds", state.typed);
  }
  uncover(state);
}

/// Enter.
void accept(ViewState& state, const Context& context) {
  switch (state.mode) {
    case Mode::kRows:
      open_row(state, context.selected_id);
      return;
    case Mode::kSortMenu:
      sort_by(state, view::sort_names()[state.menu].column);
      state.mode = Mode::kRows;
      return;
    case Mode::kColumnMenu:
      toggle_column(state, context);
      return;
    case Mode::kFilter:
      state.mode = Mode::kRows;
      return;
    case Mode::kDelay:
      accept_delay(state);
      return;
    case Mode::kDetail:
    case Mode::kHelp:
      return;
  }
}

/// Esc.
void go_back(ViewState& state) {
  if (state.mode == Mode::kRows) {
    state.filter.clear();
    state.follow.reset();
  }
  if (state.mode == Mode::kFilter) state.filter = state.filter_before;
  if (state.mode == Mode::kDetail) state.open.reset();
  uncover(state);
  state.scroll = 0;
}

void type(ViewState& state, char32_t character) {
  std::string& text = state.mode == Mode::kFilter ? state.filter : state.typed;
  if (text.size() < kLongestText) append_utf8(text, character);
}

void erase(ViewState& state) {
  std::string& text = state.mode == Mode::kFilter ? state.filter : state.typed;
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.back());
    text.pop_back();
    if ((byte & 0xC0U) != 0x80U) return;
  }
}

void start_prompt(ViewState& state, Mode mode) {
  if (mode == Mode::kFilter) state.open.reset();  // the filter applies to the rows
  state.mode = mode;
  state.typed.clear();
  state.filter_before = state.filter;
}

void pause(ViewState& state, const Context& context) {
  if (state.replay) {
    state.playing = !state.playing;
  } else if (state.paused_at) {
    state.paused_at.reset();
  } else if (context.newest != 0) {
    state.paused_at = context.newest;
  }
}

/// The sample on the screen. The one at which the user paused may not be kept any more.
std::uint64_t shown_sample(const ViewState& state, const Context& context) {
  return std::clamp(state.paused_at.value_or(context.newest), context.oldest, context.newest);
}

/// Goes to another sample. `to` may be outside of the kept ones.
void go_to(ViewState& state, std::uint64_t to, const Context& context) {
  if (!state.paused_at) {
    state.notice = "t T K J B E step through samples while paused; Space pauses";
    return;
  }
  const std::uint64_t now = shown_sample(state, context);
  state.playing = false;
  state.paused_at = std::clamp(to, context.oldest, context.newest);
  if (*state.paused_at != now) return;
  state.notice = now == context.oldest ? "this is the oldest sample" : "this is the newest sample";
  if (now == context.oldest && !state.replay) state.notice += " that is kept";
}

void travel(ViewState& state, Action action, const Context& context) {
  const std::uint64_t now = shown_sample(state, context);
  switch (action) {
    case Action::kEarlier:
      return go_to(state, std::max<std::uint64_t>(now, 1) - 1, context);
    case Action::kLater:
      return go_to(state, now + 1, context);
    case Action::kMinuteEarlier:
      return go_to(state, context.minute_earlier, context);
    case Action::kMinuteLater:
      return go_to(state, context.minute_later, context);
    case Action::kOldest:
      return go_to(state, context.oldest, context);
    default:
      return go_to(state, context.newest, context);
  }
}

void follow(ViewState& state, const Context& context) {
  if (state.follow) {
    state.follow.reset();
    state.notice = "not following any more";
  } else if (context.selected_id == 0 || state.tab == Tab::kEvents) {
    state.notice = "there is no row to follow";
  } else {
    state.follow = context.selected_id;
    state.notice = "following the row; F or moving stops it";
  }
}

void toggle(bool& what, std::string& notice, const char* on, const char* off) {
  what = !what;
  notice = what ? on : off;
}

void apply_simple(ViewState& state, const KeyAction& pressed, const Context& context, Effects& effects) {
  switch (pressed.action) {
    case Action::kQuit:
      effects.quit = true;
      return;
    case Action::kRedraw:
      effects.redraw = true;
      return;
    case Action::kWrite:
      if (state.replay) state.notice = "this is a capture file already";
      effects.write = !state.replay;
      return;
    case Action::kZero: {
      effects.zero = context.zero == 0 ? shown_sample(state, context) : 0;
      state.notice = context.zero == 0 ? "counts since now; z again: since start" : "counts since start";
      return;
    }
    case Action::kHideIdle:
      toggle(state.hide_idle, state.notice, "idle rows are hidden", "all rows");
      return;
    case Action::kCommandLine:
      toggle(state.command_line, state.notice, "command lines", "process names");
      return;
    case Action::kReverse:
      if (state.tab == Tab::kEvents) {
        state.notice = kSortOfEvents;
        return;
      }
      state.current().reverse = !state.current().reverse;
      return;
    case Action::kLonger:
      set_delay(state, state.delay_s * 2);
      return;
    case Action::kShorter:
      set_delay(state, state.delay_s / 2);
      return;
    case Action::kNone:
      state.notice = "that key does nothing here; F1 or h lists the keys";
      return;
    default:
      return;
  }
}

void apply(ViewState& state, const KeyAction& pressed, const Context& context, Effects& effects) {
  switch (pressed.action) {
    case Action::kUp:
    case Action::kDown:
    case Action::kScrollUp:
    case Action::kScrollDown:
    case Action::kPageUp:
    case Action::kPageDown:
    case Action::kHome:
    case Action::kEnd:
      return move(state, pressed.action, context);
    case Action::kView:
      return show(state, pressed.number);
    case Action::kNextView:
      return show(state, static_cast<std::size_t>(state.tab) + 1);
    case Action::kPreviousView:
      return show(state, static_cast<std::size_t>(state.tab) + kTabs - 1);
    case Action::kOpen:
      return accept(state, context);
    case Action::kOpenRow:
      state.current().selected = pressed.number;
      state.follow.reset();
      return open_row(state, pressed.id);
    case Action::kMenuLine:
      state.menu = pressed.number;
      return accept(state, context);
    case Action::kBack:
      return go_back(state);
    case Action::kFilter:
      return start_prompt(state, Mode::kFilter);
    case Action::kServiceFilter:
      start_prompt(state, Mode::kFilter);
      state.filter = "service=";
      return;
    case Action::kAskDelay:
      return start_prompt(state, Mode::kDelay);
    case Action::kType:
      return type(state, pressed.character);
    case Action::kErase:
      return erase(state);
    case Action::kSortMenu:
      return open_sort_menu(state);
    case Action::kSortColumn:
      return sort_or_reverse(state, static_cast<view::SortColumn>(pressed.number));
    case Action::kColumnMenu:
      return open_column_menu(state);
    case Action::kToggleColumn:
      return toggle_column(state, context);
    case Action::kColumnsToLeft:
    case Action::kColumnsToRight:
      return scroll_columns(state, pressed.action == Action::kColumnsToRight, context);
    case Action::kSortLeft:
      return sort_beside(state, false, context.sort_columns);
    case Action::kSortRight:
      return sort_beside(state, true, context.sort_columns);
    case Action::kSortByLive:
      return sort_by(state, view::SortColumn::kLive);
    case Action::kSortByOverflow:
      return sort_by(state, view::SortColumn::kOverflow);
    case Action::kSortByPid:
      return sort_by(state, view::SortColumn::kPid);
    case Action::kPause:
      return pause(state, context);
    case Action::kEarlier:
    case Action::kLater:
    case Action::kMinuteEarlier:
    case Action::kMinuteLater:
    case Action::kOldest:
    case Action::kNewest:
      return travel(state, pressed.action, context);
    case Action::kFollow:
      return follow(state, context);
    case Action::kHelp:
      state.mode = Mode::kHelp;
      state.scroll = 0;
      return;
    default:
      return apply_simple(state, pressed, context, effects);
  }
}

}  // namespace

model::Group group_of(const ViewState& state) {
  switch (state.tab) {
    case Tab::kServices:
      return model::Group::kService;
    case Tab::kPorts:
      return model::Group::kPort;
    case Tab::kPeers:
      return model::Group::kPeer;
    case Tab::kNamespaces:
      return model::Group::kNetns;
    case Tab::kProcesses:
    case Tab::kEvents:
      return state.process_group;
  }
  return state.process_group;
}

std::size_t menu_lines(const ViewState& state) {
  return state.mode == Mode::kSortMenu ? view::sort_names().size() : view::live_columns(group_of(state)).all.size();
}

Transition update(ViewState state, const KeyAction& pressed, const Context& context) {
  Transition transition{std::move(state), {}};
  transition.state.notice.clear();
  apply(transition.state, pressed, context, transition.effects);
  return transition;
}

ViewState play_on(ViewState state, const Context& context) {
  if (!state.playing) return state;
  const std::uint64_t next = state.paused_at.value_or(context.oldest) + 1;
  state.paused_at = std::min(next, context.newest);
  if (next >= context.newest) {
    state.playing = false;
    state.notice = "this is the newest sample";
  }
  return state;
}

ViewState settle(ViewState state, const Context& context) {
  if (state.mode == Mode::kDetail || state.mode == Mode::kHelp) {
    state.scroll = std::min(state.scroll, context.rows > context.page ? context.rows - context.page : 0);
    return state;
  }
  TabState& tab = state.current();
  if (state.follow && context.followed) tab.selected = *context.followed;
  tab.selected = std::min(tab.selected, last_of(context.rows));
  const std::size_t page = std::max<std::size_t>(context.page, 1);
  tab.top = std::min(tab.top, tab.selected);
  if (tab.selected - tab.top >= page) tab.top = tab.selected - page + 1;
  tab.top = std::min(tab.top, context.rows > page ? context.rows - page : 0);
  return state;
}

}  // namespace twtrace::tui
