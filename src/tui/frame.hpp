// SPDX-License-Identifier: Apache-2.0
// A screen as a grid of cells. The layout makes it, the terminal paints it, and tests compare it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twtrace::tui {

/// The meaning of a cell. The terminal chooses colours and attributes.
enum class Style : std::uint8_t {
  kNormal,
  kDim,
  kBold,
  kTitle,      ///< column titles
  kSortTitle,  ///< the column that rows are sorted by
  kTab,        ///< the current view
  kBar,        ///< room taken
  kGood,       ///< everything is fine
  kWarning,    ///< a problem is near
  kAlarm,      ///< buckets were refused
  kSelected,   ///< the row under the cursor
  kSelectedAlarm,
  kKey,  ///< a key in the hint line
};

/// The characters that may be used.
enum class Charset { kAscii, kUnicode };

/// Of a screen, in cells.
struct Size {
  std::size_t rows = 0;
  std::size_t columns = 0;
  bool operator==(const Size&) const = default;
};

/// One column of one line. A wide character is a cell of width 2, followed by one of width 0.
struct Cell {
  std::array<char32_t, 4> text{U' '};  ///< a character and its combining marks; the rest is 0
  std::uint8_t width = 1;
  Style style = Style::kNormal;
  bool operator==(const Cell&) const = default;
};

/// A grid of blank cells to write on. Text outside of it, or beyond its edge, is dropped.
class Frame {
 public:
  explicit Frame(Size size, Charset charset = Charset::kUnicode);

  Size size() const { return size_; }
  Charset charset() const { return charset_; }
  const Cell& at(std::size_t row, std::size_t column) const { return cells_[row * size_.columns + column]; }

  /// Writes text from outside. Makes it safe, and cuts it at the column `end` (default: the edge). Returns the column
  /// after it.
  std::size_t write(std::size_t row, std::size_t column, std::string_view text, Style style = Style::kNormal,
                    std::size_t end = SIZE_MAX);
  /// Sets the style of every cell of a line from `column` on, and keeps the text.
  void paint(std::size_t row, std::size_t column, Style style);

  /// A line as UTF-8 without trailing blanks.
  std::string text(std::size_t row) const;
  /// All lines, each with a newline.
  std::string text() const;

  bool operator==(const Frame&) const = default;

 private:
  Cell& cell(std::size_t row, std::size_t column) { return cells_[row * size_.columns + column]; }
  void combine(std::size_t row, std::size_t column, char32_t mark);

  Size size_;
  Charset charset_;
  std::vector<Cell> cells_;
};

/// UTF-8 of a code point.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace twtrace::tui
