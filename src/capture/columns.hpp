// SPDX-License-Identifier: Apache-2.0
// Private to capture: reads the columns of a row that may hold anything.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "capture/increments.hpp"
#include "capture/limits.hpp"
#include "capture/sqlite.hpp"

namespace twtrace::capture {

/// Reads the columns of the present row from left to right. A value of another type, or out of range, makes ok() false
/// and reads as 0 or empty. Valid until the statement's next step.
class Columns {
 public:
  explicit Columns(sqlite3_stmt* row) : row_(row) {}

  bool ok() const { return ok_; }
  bool is_null() const { return sqlite3_column_type(row_, next_) == SQLITE_NULL; }

  /// From 0 to `most`.
  template <class Unsigned>
  Unsigned number(Unsigned most = std::numeric_limits<Unsigned>::max()) {
    const sqlite3_int64 value = integer();
    const bool fits = value >= 0 && static_cast<std::uint64_t>(value) <= most;
    return expect(fits) ? static_cast<Unsigned>(value) : Unsigned{};
  }
  std::uint64_t count() { return number<std::uint64_t>(kMaxCount); }
  std::uint64_t gauge() { return number<std::uint64_t>(kMaxGauge); }
  std::int64_t integer() {
    sqlite3_value* const value = next();
    return expect(sqlite3_value_type(value) == SQLITE_INTEGER) ? sqlite3_value_int64(value) : 0;
  }
  /// 0 or 1.
  bool flag() { return number<std::uint8_t>(1) == 1; }
  /// A finite number. SQLite stores a whole number in a REAL column as an integer, but reports REAL.
  double real() {
    sqlite3_value* const value = next();
    const double number = sqlite3_value_type(value) == SQLITE_FLOAT ? sqlite3_value_double(value) : NAN;
    return expect(std::isfinite(number)) ? number : 0;
  }
  /// 0, or a length of time, a share or a cost that can be.
  double length() {
    const double value = real();
    return expect(value == 0 || (value >= kLeastReal && value <= kMostReal)) ? value : 0;
  }
  /// Any bytes, so many at most.
  std::string text(std::size_t most = kLongestWord) {
    sqlite3_value* const value = next();
    if (!expect(sqlite3_value_type(value) == SQLITE_TEXT)) return {};
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
    if (!expect(size <= most)) return {};
    return {reinterpret_cast<const char*>(sqlite3_value_text(value)), size};
  }
  /// A time in the years 1970 to 9999.
  std::int64_t unix_ms() { return static_cast<std::int64_t>(number<std::uint64_t>(kLastUnixMs)); }
  Delta delta() {
    Delta values{};
    for (std::int64_t& value : values) value = integer();
    return values;
  }

  /// `get` unless the column is NULL: optional([](Columns& c) { return c.real(); }).
  template <class Get>
  auto optional(const Get& get) -> std::optional<decltype(get(std::declval<Columns&>()))> {
    if (!is_null()) return get(*this);
    ++next_;
    return std::nullopt;
  }
  std::optional<std::uint64_t> optional_count() {
    return optional([](Columns& columns) { return columns.count(); });
  }
  std::optional<std::uint64_t> optional_gauge() {
    return optional([](Columns& columns) { return columns.gauge(); });
  }
  /// Translates a word. An unknown word is out of range.
  template <class Enum>
  Enum word(std::optional<Enum> (*named)(std::string_view), Enum fallback) {
    const auto value = named(text());
    return expect(value.has_value()) ? *value : fallback;
  }
  /// Notes that something about the row is invalid.
  bool expect(bool holds) {
    ok_ = ok_ && holds;
    return holds;
  }

 private:
  /// The connection has no mutex, so this value needs no protection from other threads.
  sqlite3_value* next() { return sqlite3_column_value(row_, next_++); }

  sqlite3_stmt* row_;
  int next_ = 0;
  bool ok_ = true;
};

/// The row of this id, valid until the next look-up; empty when there is none.
inline std::optional<Columns> look_up(Statement& by_id, std::int64_t id) {
  by_id.reset();
  by_id.bind_all(id);
  if (by_id.step() != SQLITE_ROW) return std::nullopt;
  return Columns(by_id.get());
}

/// The table holds a number, a word or an order that no twtrace has written.
base::Error malformed(const Database& database, const char* table);

}  // namespace twtrace::capture
