// SPDX-License-Identifier: Apache-2.0
// Private to capture: the columns of a row that may hold anything.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "capture/increments.hpp"
#include "capture/sqlite.hpp"

namespace twtrace::capture {

inline constexpr std::uint32_t kMaxPid = 1U << 22U;  ///< PID_MAX_LIMIT of linux/threads.h

/// Takes the columns of the present row from left to right. A value of another type, or out of range, makes ok() false
/// and reads as 0 or empty. Valid until the statement's next step.
class Columns {
 public:
  explicit Columns(sqlite3_stmt* row) : row_(row) {}

  bool ok() const { return ok_; }
  bool is_null() const { return sqlite3_column_type(row_, next_) == SQLITE_NULL; }

  /// From 0 to what Unsigned, and a 64-bit signed number, can hold.
  template <class Unsigned>
  Unsigned number(Unsigned most = std::numeric_limits<Unsigned>::max()) {
    const sqlite3_int64 value = integer();
    const bool fits = value >= 0 && static_cast<std::uint64_t>(value) <= most;
    return expect(fits) ? static_cast<Unsigned>(value) : Unsigned{};
  }
  std::int64_t integer() {
    const int column = next_++;
    return expect(sqlite3_column_type(row_, column) == SQLITE_INTEGER) ? sqlite3_column_int64(row_, column) : 0;
  }
  /// 0 or 1.
  bool flag() { return number<std::uint8_t>(1) == 1; }
  /// Finite. SQLite stores a whole number in a REAL column as one, but says REAL.
  double real() {
    const int column = next_++;
    const double value = sqlite3_column_double(row_, column);
    return expect(sqlite3_column_type(row_, column) == SQLITE_FLOAT && std::isfinite(value)) ? value : 0;
  }
  /// Finite and not negative.
  double length() {
    const double value = real();
    return expect(value >= 0) ? value : 0;
  }
  /// Any bytes.
  std::string text() {
    const int column = next_++;
    if (!expect(sqlite3_column_type(row_, column) == SQLITE_TEXT)) return {};
    const void* bytes = sqlite3_column_text(row_, column);
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(row_, column))};
  }
  /// A moment of the years 1970 to 9999.
  std::int64_t unix_ms() { return static_cast<std::int64_t>(number<std::uint64_t>(253'402'300'799'999)); }
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
  std::optional<std::uint64_t> optional_number() {
    return optional([](Columns& columns) { return columns.number<std::uint64_t>(); });
  }
  /// What a word means; an unknown one is out of range.
  template <class Enum>
  Enum word(std::optional<Enum> (*named)(std::string_view), Enum fallback) {
    const auto value = named(text());
    return expect(value.has_value()) ? *value : fallback;
  }
  /// Notes that something about the row does not hold.
  bool expect(bool holds) {
    ok_ = ok_ && holds;
    return holds;
  }

 private:
  sqlite3_stmt* row_;
  int next_ = 0;
  bool ok_ = true;
};

}  // namespace twtrace::capture
