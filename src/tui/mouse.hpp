// SPDX-License-Identifier: Apache-2.0
// The mouse, as a terminal reports it among the keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tui/keymap.hpp"

namespace twtrace::tui {

/// A report of the mouse that arrives character by character. Unlike ncurses it never waits for the rest of one that is
/// cut off. Not thread-safe.
class MouseReport {
 public:
  enum class Form : std::uint8_t {
    kX10,  ///< ESC [ M, then three bytes: button, column and row
    kSgr,  ///< ESC [ <, then three numbers with semicolons between them, then M or m
  };
  struct Step {
    bool taken = false;      ///< false: the character is not part of a report
    std::optional<Key> key;  ///< a click, or a turn of the wheel, if a report of one is complete
  };

  /// Its prefix has arrived. An earlier report that is not complete is dropped.
  void begin(Form form);
  /// True while more characters belong to it.
  bool is_open() const { return open_; }
  /// Drops it.
  void drop() { open_ = false; }
  /// The next character, or a code of ncurses. One that cannot be part of the report drops it, and is not taken.
  Step take(std::uint32_t character);

 private:
  Step take_byte(std::uint32_t character);
  Step take_number(std::uint32_t character);
  Step complete(bool pressed);

  Form form_ = Form::kX10;
  bool open_ = false;
  std::size_t field_ = 0;
  std::array<std::uint32_t, 3> fields_{};  ///< button, column and row, both from 1 on
};

}  // namespace twtrace::tui
