// SPDX-License-Identifier: Apache-2.0
#include "base/escape.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/unicode.hpp"

namespace twtrace::base {
namespace {

constexpr char kCutMark = '~';  // ASCII, so that it means the same in every locale

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

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for_each_step(bytes, [&](const Decoded& step, std::string_view raw) {
    out += step.valid ? raw : std::string_view("\xEF\xBF\xBD");
    return true;
  });
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
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
  std::size_t columns = 0;
  for_each_step(utf8, [&](const Decoded& step, std::string_view) {
    columns += step_width(step);
    return true;
  });
  return columns;
}

std::string fit(std::string_view utf8, std::size_t columns, std::size_t tail) {
  const std::size_t width = display_width(utf8);
  if (width <= columns) return std::string(utf8);
  if (columns == 0) return {};

  std::size_t taken = 0;
  std::size_t head = 0;
  for_each_step(utf8, [&](const Decoded& step, std::string_view) {
    taken += step_width(step);
    if (taken + tail > columns - 1) return false;
    head += step.size;
    return true;
  });
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

std::string pad(std::string_view utf8, std::size_t columns, Align align) {
  const std::string text = fit(utf8, columns);
  const std::string fill(columns - display_width(text), ' ');
  return align == Align::kLeft ? text + fill : fill + text;
}

}  // namespace twtrace::base
