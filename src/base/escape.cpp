// SPDX-License-Identifier: Apache-2.0
#include "base/escape.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/unicode.hpp"

namespace twtrace::base {
namespace {

constexpr char kCutMark = '~';  // ASCII, so that it means the same in every locale

/// Nearly all text is, and takes a column for each byte. Looks at every byte, so that the compiler can take many at
/// once.
bool is_printable_ascii(std::string_view bytes) {
  bool printable = true;
  for (const char c : bytes) printable = printable & (c >= ' ') & (c != '\x7f');
  return printable;
}

// Calls visit(decoded, its bytes) for each step through `bytes`, until visit returns false.
template <class Visit>
void for_each_step(std::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    const Decoded step = decode_utf8(bytes);
    if (!visit(step, bytes.substr(0, step.size))) return;
    bytes.remove_prefix(step.size);
  }
}

void append_hex_escapes(std::string& out, std::string_view bytes) {
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(c));
}

std::size_t step_width(const Decoded& step) {
  return step.valid ? static_cast<std::size_t>(code_point_width(step.code_point)) : 1;
}

/// Whether Markdown (GitHub's) may interpret the byte. Bytes that are harmless in their place stay unescaped, because
/// people also read reports as source.
bool obeyed_by_markdown(std::string_view text, std::size_t at) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  if (std::string_view("\\`*_[]<>#|~&$@").find(c) != std::string_view::npos) return true;
  if (c == ':') return next != ' ' && (next < '0' || next > '9');  // URLs and emoji, but not ":8080"
  if (c == 'w' || c == 'W') return (next == 'w' || next == 'W') && text.find('.', at) != std::string_view::npos;
  // A list or a rule at the beginning of a line.
  if ((c == '-' || c == '+' || c == '=') && at == 0) return next == ' ' || next == c;
  return (c == '.' || c == ')') && at > 0 && (next == ' ' || next == '\0') &&
         text.find_first_not_of("0123456789") == at;
}

bool looks_like_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

}  // namespace

std::string sanitize_terminal(std::string_view bytes) {
  if (is_printable_ascii(bytes)) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size());
  for_each_step(bytes, [&](const Decoded& step, std::string_view raw) {
    if (!step.valid || (is_invisible(step.code_point) && step.code_point < 0x80)) {
      append_hex_escapes(out, raw);
    } else if (is_invisible(step.code_point)) {
      fmt::format_to(std::back_inserter(out), "\\u{{{:04X}}}", step.code_point);
    } else {
      out += raw;
    }
    return true;
  });
  return out;
}

bool is_valid_utf8(std::string_view bytes) {
  bool valid = true;
  for_each_step(bytes, [&](const Decoded& step, std::string_view) { return valid = step.valid; });
  return valid;
}

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted += '\'';
}

std::string csv_cell(std::string_view text) {
  std::string cell = looks_like_formula(text) ? "'" : "";
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;

  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string html_text(std::string_view bytes) {
  std::string out;
  for (const char c : sanitize_terminal(bytes)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown_text(std::string_view bytes) {
  const std::string safe = sanitize_terminal(bytes);
  std::string out;
  for (std::size_t i = 0; i < safe.size(); ++i) {
    // Every renderer takes a reference for the character itself and for nothing else.
    if (obeyed_by_markdown(safe, i)) {
      fmt::format_to(std::back_inserter(out), "&#{};", static_cast<int>(safe[i]));
    } else {
      out += safe[i];
    }
  }
  return out;
}

std::size_t display_width(std::string_view utf8) {
  if (is_printable_ascii(utf8)) return utf8.size();
  std::size_t columns = 0;
  for_each_step(utf8, [&](const Decoded& step, std::string_view) {
    columns += step_width(step);
    return true;
  });
  return columns;
}

namespace {

/// The same as fit() for text of that width, which is more than `columns`.
std::string cut(std::string_view utf8, std::size_t width, std::size_t columns, std::size_t tail) {
  if (columns == 0) return {};
  if (is_printable_ascii(utf8)) {
    const std::size_t head = tail < columns ? columns - 1 - tail : 0;
    return std::string(utf8.substr(0, head)) + kCutMark + std::string(utf8.substr(width - tail));
  }
  std::size_t taken = 0;
  std::size_t head = 0;
  for_each_step(utf8, [&](const Decoded& step, std::string_view) {
    taken += step_width(step);
    if (taken + tail > columns - 1) return false;
    head += step.size;
    return true;
  });
  if (tail == 0) return std::string(utf8.substr(0, head)) + kCutMark;
  std::size_t left = width;
  std::size_t end = 0;
  for_each_step(utf8, [&](const Decoded& step, std::string_view) {
    if (left <= tail && step_width(step) != 0) return false;
    left -= step_width(step);
    end += step.size;
    return true;
  });
  return std::string(utf8.substr(0, head)) + kCutMark + std::string(utf8.substr(end));
}

}  // namespace

std::string fit(std::string_view utf8, std::size_t columns, std::size_t tail) {
  const std::size_t width = display_width(utf8);
  return width <= columns ? std::string(utf8) : cut(utf8, width, columns, tail);
}

std::vector<std::string> broken(std::string_view utf8, std::size_t columns) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= utf8.size();) {
    const std::size_t end = std::min(utf8.find(' ', begin), utf8.size());
    const std::string_view word = utf8.substr(begin, end - begin);
    if (!parts.empty() && display_width(parts.back()) + 1 + display_width(word) <= columns) {
      parts.back().append(" ").append(word);
    } else {
      parts.push_back(fit(word, columns));
    }
    begin = end + 1;
  }
  return parts;
}

std::string pad(std::string_view utf8, std::size_t columns, Align align) {
  const std::size_t width = display_width(utf8);
  std::string text = width <= columns ? std::string(utf8) : cut(utf8, width, columns, 0);
  // A wide character that is cut leaves a column.
  const std::size_t blanks = columns - (width <= columns ? width : display_width(text));
  text.insert(align == Align::kLeft ? text.size() : 0, blanks, ' ');
  return text;
}

}  // namespace twtrace::base
