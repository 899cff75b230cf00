// SPDX-License-Identifier: Apache-2.0
#include "output/json_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/escape.hpp"
#include "base/unicode.hpp"

namespace twtrace::output {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;
/// Whole numbers below are printed with all their digits, those above with an exponent.
constexpr double kExact = 1e15;

/// Looks at every byte, so that the compiler can take many at once.
bool is_plain(std::string_view text) {
  bool plain = true;
  for (const char c : text) plain = plain & (c >= ' ') & (c != '\x7f') & (c != '"') & (c != '\\');
  return plain;
}

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kDigits[unit >> shift & 0xFU];
}

void append_code_point(std::string& out, std::uint32_t code) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  if (const std::size_t named = code < 0x80 ? kNamed.find(static_cast<char>(code)) : std::string_view::npos;
      named != std::string_view::npos) {
    (out += '\\') += kNames[named];
  } else if (code >= 0x20 && code < 0x7F) {
    out += static_cast<char>(code);
  } else if (code < 0x10000) {
    append_unit(out, code);
  } else {  // a surrogate pair
    append_unit(out, 0xD800 + ((code - 0x10000) >> 10U));
    append_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FFU));
  }
}

}  // namespace

void JsonWriter::text(std::string_view key, std::string_view bytes) {
  if (bytes.empty()) return field(key, nullptr);
  field(key, bytes);
  if (is_plain(bytes) || base::is_valid_utf8(bytes)) return;
  separate();
  fmt::format_to(std::back_inserter(out_), R"("{}_hex":"{}")", key, base::hex(bytes));
}

/// Grows the string once: a report on many namespaces has millions of names.
void JsonWriter::name(std::string_view key) {
  const std::size_t begin = out_.size();
  const std::size_t comma = first_ ? 0 : 1;
  out_.resize(begin + comma + key.size() + 3);
  char* to = out_.data() + begin;
  if (comma != 0) *to++ = ',';
  *to++ = '"';
  to = std::copy(key.begin(), key.end(), to);
  *to++ = '"';
  *to = ':';
  first_ = false;
}

void JsonWriter::put(double value) {
  if (!std::isfinite(value)) return put(nullptr);
  if (std::abs(value) < kExact && std::trunc(value) == value) {  // most rates are 0; never -0.0
    put(static_cast<std::int64_t>(value));
    out_ += std::string_view(".0");
    return;
  }
  const std::size_t begin = out_.size();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  if (out_.find_first_of(".e", begin) == std::string::npos) out_ += ".0";
}

void JsonWriter::put(std::string_view text) {
  out_ += '"';
  if (is_plain(text)) {
    out_ += text;
  } else {
    put_escaped(text);
  }
  out_ += '"';
}

void JsonWriter::put_escaped(std::string_view bytes) {
  while (!bytes.empty()) {
    const base::Decoded step = base::decode_utf8(bytes);
    append_code_point(out_, step.valid ? step.code_point : kReplacement);
    bytes.remove_prefix(step.size);
  }
}

}  // namespace twtrace::output
