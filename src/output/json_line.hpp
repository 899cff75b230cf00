// SPDX-License-Identifier: Apache-2.0
// One JSON object written straight into its line, for what is written tens of thousands of times per second. The bytes
// are those that json_fields.hpp makes of the same values.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/escape.hpp"
#include "output/json_fields.hpp"

namespace twtrace::output {

/// Appends to a string that the caller keeps. Keys are plain ASCII without quotes.
class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) {}

  void null(std::string_view key) { name(key) += "null"; }
  /// Text of ours: plain ASCII.
  void word(std::string_view key, std::string_view text) { (((name(key) += '"') += text) += '"'); }
  /// Text of ours that may have come through a file.
  void any_word(std::string_view key, std::string_view text) {
    if (is_plain(text)) return word(key, text);
    name(key) += to_line(Json(std::string(text)));
  }
  void number(std::string_view key, std::integral auto value) {
    const fmt::format_int digits(value);
    name(key).append(digits.data(), digits.size());
  }
  void number(std::string_view key, double value) {
    if (value == 0 && !std::signbit(value)) {  // most rates are
      name(key) += "0.0";
    } else {
      name(key) += Json(value).dump();
    }
  }
  void truth(std::string_view key, bool value) { name(key) += value ? "true" : "false"; }
  template <class T>
  void number(std::string_view key, const std::optional<T>& value) {
    value ? number(key, *value) : null(key);
  }
  /// Text from outside, as put_text() treats it, but for the `_hex` key: see hex().
  void text(std::string_view key, std::string_view bytes) {
    if (bytes.empty()) return null(key);
    if (is_plain(bytes)) return word(key, bytes);
    name(key) += to_line(Json(base::replace_invalid_utf8(bytes)));
  }
  /// `<key>_hex`, when the text needs it.
  void hex(std::string_view key, std::string_view bytes) {
    if (is_plain(bytes) || base::is_valid_utf8(bytes)) return;
    fmt::format_to(std::back_inserter(separated()), R"("{}_hex":"{}")", key, base::hex(bytes));
  }
  void begin(std::string_view key) {
    name(key) += '{';
    first_ = true;
  }
  /// An element of an array, or the whole.
  void begin() {
    separated() += '{';
    first_ = true;
  }
  void end() {
    out_ += '}';
    first_ = false;
  }

 private:
  static bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  }

  std::string& separated() {
    if (!first_) out_ += ',';
    first_ = false;
    return out_;
  }
  std::string& name(std::string_view key) { return (((separated() += '"') += key) += "\":"); }

  std::string& out_;
  bool first_ = true;
};

}  // namespace twtrace::output
