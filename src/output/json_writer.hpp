// SPDX-License-Identifier: Apache-2.0
// How values become JSON: the one place for every output.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace twtrace::output {

/// Thousandths, and milliseconds, are as fine as anything here is measured.
inline double rounded(double value) { return std::round(value * 1000) / 1000; }
inline std::optional<double> rounded(std::optional<double> value) {
  return value ? std::optional(rounded(*value)) : std::nullopt;
}

/// Writes one JSON document on one line behind what is in a string already, field by field. The line is pure ASCII:
/// everything else is \u-escaped, so that no terminal obeys it. What is unknown is null, never 0: an empty optional,
/// and a number that is not finite. Bytes that are no UTF-8 become U+FFFD. Keys are plain ASCII without quotes. Keeps a
/// reference to the string; not thread-safe; never throws on any content.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  /// A bool, a number, a text, nullptr, or an optional of these.
  template <class Value>
  void field(std::string_view key, const Value& value) {
    name(key);
    put(value);
  }
  /// A name from outside, which is null when it is empty. The original bytes of one that is no UTF-8 follow as
  /// `<key>_hex`.
  void text(std::string_view key, std::string_view bytes);
  /// An array of texts.
  template <class Texts>
  void texts(std::string_view key, const Texts& all) {
    list(key, all, [this](std::string_view text) {
      separate();
      put(text);
    });
  }

  /// `fields()` writes those of the object.
  template <class Fields>
  void object(const Fields& fields) {
    separate();
    open('{');
    fields();
    close('}');
  }
  template <class Fields>
  void object(std::string_view key, const Fields& fields) {
    name(key);
    open('{');
    fields();
    close('}');
  }
  /// An array of objects; `fields(element)` writes those of one.
  template <class Elements, class Fields>
  void objects(std::string_view key, const Elements& all, const Fields& fields) {
    list(key, all, [&](const auto& element) { object([&] { fields(element); }); });
  }
  /// The same, of the elements for which `wanted(element)` is true.
  template <class Elements, class Wanted, class Fields>
  void objects_if(std::string_view key, const Elements& all, Wanted wanted, const Fields& fields) {
    list(key, all, [&](const auto& element) {
      if (wanted(element)) object([&] { fields(element); });
    });
  }
  /// An object, or null when there is no value; `fields(*value)` writes those of the object.
  template <class Value, class Fields>
  void object_if(std::string_view key, const Value& value, const Fields& fields) {
    if (!value) return field(key, nullptr);
    object(key, [&] { fields(*value); });
  }

 private:
  template <class Elements, class Write>
  void list(std::string_view key, const Elements& all, const Write& write) {
    name(key);
    open('[');
    for (const auto& element : all) write(element);
    close(']');
  }

  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void name(std::string_view key);
  void open(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }

  void put(std::nullptr_t) { out_ += std::string_view("null"); }  // without counting its length each time
  void put(std::integral auto value) {
    if constexpr (std::same_as<decltype(value), bool>) {
      out_ += value ? "true" : "false";
    } else {
      const fmt::format_int digits(value);
      out_.append(digits.data(), digits.size());
    }
  }
  void put(double value);
  void put(std::string_view text);
  template <class T>
  void put(const std::optional<T>& value) {
    value ? put(*value) : put(nullptr);
  }
  void put_escaped(std::string_view bytes);

  std::string& out_;
  bool first_ = true;  ///< nothing stands before in this object or array
};

}  // namespace twtrace::output
