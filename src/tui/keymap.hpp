// SPDX-License-Identifier: Apache-2.0
// Keys and what they do, in one table that help is printed from.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace twtrace::tui {

/// A key that is no character.
enum class Special : std::uint8_t {
  kNone,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kEnter,
  kEscape,
  kBackspace,
  kTab,
  kBackTab,
  kWheelUp,
  kWheelDown,
  kF1,
  kF4,
  kF5,
  kF6,
  kF10,
  kUnknown,  ///< any other
};

struct Key {
  char32_t character = 0;  ///< 0 for a special key
  Special special = Special::kNone;
  bool operator==(const Key&) const = default;
};

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
  kBack,
  kFilter,
  kSortMenu,
  kSortLeft,
  kSortRight,
  kReverse,
  kSortByLive,
  kSortByOverflow,
  kSortByCreated,
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
  kType,  ///< `character`, while something is typed in
  kErase,
  kNone,  ///< the key means nothing here
};

/// What a key does, with the view it names or the character it types.
struct KeyAction {
  Action action = Action::kNone;
  std::size_t number = 0;
  char32_t character = 0;
};

/// Where the keys go.
enum class Mode : std::uint8_t {
  kRows,
  kDetail,
  kHelp,
  kFilter,
  kSortMenu,
  kDelay,
};

/// What a key means in a mode. Pure.
KeyAction key_action(Key key, Mode mode);

/// One line of help: keys as people call them, and what they do.
struct HelpLine {
  std::string_view keys;
  std::string_view text;
};
const std::vector<HelpLine>& help_lines();

}  // namespace twtrace::tui
