// SPDX-License-Identifier: Apache-2.0
// Private to capture: SQLite with ownership and Result errors.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "capture/truncation.hpp"

namespace twtrace::capture {

/// How long to wait for another process that locks the file, for example to add a mark.
inline constexpr int kBusyTimeoutMs = 5000;

/// Turns an SQLite error into one for users, with a remedy. `path` is the file as the user gave it. kInvalid if the
/// file is damaged, otherwise kFailure.
base::Error sqlite_error(sqlite3* database, const std::string& path, const std::string& doing);

/// A prepared statement. Move-only; must not outlive its database. Not thread-safe.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Runs a statement that returns no row, with these parameters; SQLITE_OK or an error code.
  template <class... Values>
  int run(const Values&... values) {
    bind_all(values...);
    const int code = sqlite3_step(statement_.get());
    sqlite3_reset(statement_.get());  // bound text may be gone afterwards, so nothing runs without binding again
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }
  /// Binds the parameters of a query that step() then runs.
  template <class... Values>
  void bind_all(const Values&... values) {
    int index = 0;
    (bind_next(index, values), ...);
  }
  /// SQLITE_ROW, SQLITE_DONE or an error code.
  int step() { return sqlite3_step(statement_.get()); }
  void reset() { sqlite3_reset(statement_.get()); }
  sqlite3_stmt* get() const { return statement_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  template <class Value>
  void bind_next(int& index, const Value& value) {
    bind(++index, value);
  }
  /// A parameter per element.
  template <class Value, std::size_t kSize>
  void bind_next(int& index, const std::array<Value, kSize>& values) {
    for (const Value& value : values) bind(++index, value);
  }

  void bind(int index, std::string_view text) {
    sqlite3_bind_text64(statement_.get(), index, text.data() != nullptr ? text.data() : "", text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void bind(int index, double value) { sqlite3_bind_double(statement_.get(), index, value); }
  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  void bind(int index, Integer value) {
    sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(value));
  }
  template <class Value>
  void bind(int index, const std::optional<Value>& value) {
    if (value) {
      bind(index, *value);
    } else {
      sqlite3_bind_null(statement_.get(), index);
    }
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// An open database. Move-only. Not thread-safe.
class Database {
 public:
  /// SQLite opens `uri`. Messages name `path`. `flags` as for sqlite3_open_v2.
  static base::Result<Database> open(const std::string& uri, const std::string& path, int flags, const char* vfs);

  sqlite3* get() const { return handle_.get(); }
  const std::string& path() const { return path_; }
  base::Result<void> exec(const char* sql, const std::string& doing) const;
  base::Result<Statement> prepare(const std::string& sql) const;
  /// The only number that a query returns.
  base::Result<std::int64_t> number(const char* sql) const;
  /// Of the file format: kSchemaVersion of the twtrace that wrote it.
  base::Result<std::int64_t> version() const { return number("PRAGMA user_version"); }
  base::Error error(const std::string& doing) const { return sqlite_error(handle_.get(), path_, doing); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<TruncationGuard> guard_;  ///< declared before the handle, so it outlives it
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

/// "file:" and the path, escaped.
std::string file_uri(const std::string& path);

}  // namespace twtrace::capture
