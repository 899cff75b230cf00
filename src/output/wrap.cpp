// SPDX-License-Identifier: Apache-2.0
#include "output/wrap.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "base/unicode.hpp"

namespace twtrace::output {
namespace {

/// The longest prefix of `word` that fits into `columns`; at least one character.
std::string_view beginning(std::string_view word, std::size_t columns) {
  std::size_t bytes = 0;
  std::size_t taken = 0;
  while (bytes < word.size()) {
    const base::Decoded step = base::decode_utf8(word.substr(bytes));
    taken += step.valid ? static_cast<std::size_t>(base::code_point_width(step.code_point)) : 1;
    if (bytes != 0 && taken > columns) break;
    bytes += step.size;
  }
  return word.substr(0, bytes);
}

}  // namespace

std::string wrapped(const std::string& text, std::size_t used, std::size_t indent, bool cut) {
  std::string out;
  std::size_t column = used;
  bool first = true;
  const auto next_line = [&] {
    out += "\n" + std::string(indent, ' ');
    column = indent;
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    std::string_view word = std::string_view(text).substr(begin, end - begin);
    std::size_t columns = base::display_width(word);
    if (!first && column + 1 + columns > kTextColumns) {
      next_line();
    } else if (!first) {
      out += ' ';
      ++column;
    }
    while (cut && column + columns > kTextColumns) {
      const std::string_view part = beginning(word, kTextColumns - std::min(column, kTextColumns - 1));
      if (part.size() == word.size()) break;
      out += part;
      word.remove_prefix(part.size());
      columns -= base::display_width(part);
      next_line();
    }
    out += word;
    column += columns;
    first = false;
    begin = end + 1;
  }
  return out + "\n";
}

}  // namespace twtrace::output
