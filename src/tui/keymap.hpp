// SPDX-License-Identifier: Apache-2.0
// Keys and their actions, in one table. Help is printed from it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace twtrace::tui {

/// A key that is not a character.
enum class Special : std::uint8_t {
  kNone,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kLeft,
  kRight,
  kEnter,
  kEscape,
  kBackspace,
  kTab,
  kBackTab,
  kWheelUp,
  kWheelDown,
  kClick,  ///< of the first mouse button, at Key::row and Key::column
  kF1,
  kF2,
  kF3,
  kF4,
  kF5,
  kF6,
  kF10,
  kUnknown,  ///< any other
};

/// A key, or a click.
struct Key {
  char32_t character = 0;  ///< 0 for a special key
  Special special = Special::kNone;
  std::uint16_t row = 0;     ///< of a click, from 0 on
  std::uint16_t column = 0;  ///< the same
  bool operator==(const Key&) const = default;
};

/// What a key can do.
enum class Action : std::uint8_t {
  kUp,
  kDown,
  kScrollUp,
  kScrollDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kView,  ///< `number` says which, from 0 on
  kNextView,
  kPreviousView,
  kOpen,
  kOpenRow,  ///< `number` is its index, `id` its Row::id
  kBack,
  kFilter,
  kServiceFilter,  ///< a filter that begins with "service="
  kSortMenu,
  kSortColumn,  ///< `number` is a view::SortColumn; the same one again reverses the order
  kSortLeft,
  kSortRight,
  kReverse,
  kColumnMenu,
  kToggleColumn,   ///< the one under the cursor of the menu
  kMenuLine,       ///< `number`: what Enter does on that line of a menu
  kColumnsToLeft,  ///< scrolls the columns
  kColumnsToRight,
  kSortByLive,
  kSortByOverflow,
  kSortByPid,
  kPause,
  kEarlier,
  kLater,
  kMinuteEarlier,
  kMinuteLater,
  kOldest,
  kNewest,
  kAskDelay,
  kLonger,
  kShorter,
  kZero,
  kFollow,
  kHideIdle,
  kCommandLine,
  kWrite,
  kHelp,
  kRedraw,
  kQuit,
  kType,  ///< `character`, while the user types into a prompt
  kErase,
  kNone,  ///< the key has no meaning here
};

/// The effect of a key or of a click, with what it names or the character that it types.
struct KeyAction {
  Action action = Action::kNone;
  std::size_t number = 0;
  char32_t character = 0;
  std::uint64_t id = 0;
};

/// What the keys apply to.
enum class Mode : std::uint8_t {
  kRows,
  kDetail,
  kHelp,
  kFilter,
  kSortMenu,
  kColumnMenu,
  kDelay,
};

/// The action of a key in a mode; of a click see click_action(). Pure.
KeyAction key_action(Key key, Mode mode);

/// One line of help: keys as people call them, and their effect.
struct HelpLine {
  std::string_view keys;
  std::string_view text;
};
/// In the order of the table. They live for the whole run.
const std::vector<HelpLine>& help_lines();

}  // namespace twtrace::tui
