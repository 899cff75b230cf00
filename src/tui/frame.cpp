// SPDX-License-Identifier: Apache-2.0
#include "tui/frame.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "base/unicode.hpp"

namespace twtrace::tui {

Frame::Frame(Size size, Charset charset) : size_(size), charset_(charset), cells_(size.rows * size.columns) {}

void Frame::combine(std::size_t row, std::size_t column, char32_t mark) {
  if (column == 0 || charset_ == Charset::kAscii) return;
  std::size_t base = column - 1;
  if (cell(row, base).width == 0 && base > 0) --base;
  std::array<char32_t, 4>& text = cell(row, base).text;
  auto* const free = std::find(text.begin(), text.end(), U'\0');
  if (free != text.end()) *free = mark;  // drops more marks than anybody can read
}

std::size_t Frame::write(std::size_t row, std::size_t column, std::string_view text, Style style, std::size_t end) {
  end = std::min(end, size_.columns);
  if (row >= size_.rows) return column;
  const std::size_t begin = column;
  const std::string safe = base::sanitize_terminal(text);
  for (std::string_view rest = safe; !rest.empty();) {
    const base::Decoded step = base::decode_utf8(rest);
    rest.remove_prefix(step.size);
    const auto width = static_cast<std::size_t>(base::code_point_width(step.code_point));
    if (width == 0) {
      if (column > begin) combine(row, column, step.code_point);
      continue;
    }
    if (column >= end || column + width > end) break;
    const bool plain = charset_ == Charset::kUnicode || step.code_point < 0x80;
    for (std::size_t i = 0; i < width; ++i) {
      Cell& next = cell(row, column + i);
      next = {};
      next.style = style;
      if (!plain) next.text[0] = U'?';
      if (plain && i > 0) next.width = 0;
    }
    if (plain) {
      cell(row, column).text[0] = step.code_point;
      cell(row, column).width = static_cast<std::uint8_t>(width);
    }
    column += width;
  }
  return column;
}

void Frame::paint(std::size_t row, std::size_t column, Style style) {
  if (row >= size_.rows) return;
  for (; column < size_.columns; ++column) cell(row, column).style = style;
}

std::string Frame::text(std::size_t row) const {
  std::string line;
  for (std::size_t column = 0; column < size_.columns; ++column) {
    const Cell& shown = at(row, column);
    if (shown.width == 0) continue;
    for (const char32_t code_point : shown.text) {
      if (code_point != 0) append_utf8(line, code_point);
    }
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Frame::text() const {
  std::string all;
  for (std::size_t row = 0; row < size_.rows; ++row) all += text(row) + '\n';
  return all;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto byte = [&out](char32_t bits) { out += static_cast<char>(bits); };
  const auto following = [&](unsigned shift) { byte(0x80U | ((code_point >> shift) & 0x3FU)); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0U | (code_point >> 6U));
    following(0);
  } else if (code_point < 0x10000) {
    byte(0xE0U | (code_point >> 12U));
    following(6);
    following(0);
  } else {
    byte(0xF0U | (code_point >> 18U));
    following(12);
    following(6);
    following(0);
  }
}

}  // namespace twtrace::tui
