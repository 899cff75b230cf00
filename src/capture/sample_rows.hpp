// SPDX-License-Identifier: Apache-2.0
// Private to capture: rows that belong to samples.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "capture/columns.hpp"
#include "capture/sqlite.hpp"

namespace twtrace::capture {

/// Rows whose first column is a sample, in the order of the samples: looks one row ahead. Default: no rows.
class SampleRows {
 public:
  static base::Result<SampleRows> open(const Database& database, const std::string& sql) {
    auto statement = database.prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    SampleRows rows;
    rows.statement_ = std::move(*statement);
    rows.code_ = rows.statement_.step();
    return rows;
  }

  /// Whether the row at hand is of this sample, or of one before: that is out of order, which the caller finds.
  bool at(std::int64_t sample) const {
    return code_ == SQLITE_ROW && sqlite3_column_int64(statement_.get(), 0) <= sample;
  }
  /// The row at hand, after its first column; that must be `sample`.
  Columns row(std::int64_t sample) const {
    Columns columns(statement_.get());
    columns.expect(columns.integer() == sample);
    return columns;
  }
  void next() { code_ = statement_.step(); }
  /// False when rows are left, or reading them failed.
  bool done() const { return code_ == SQLITE_DONE; }
  bool failed() const { return code_ != SQLITE_DONE && code_ != SQLITE_ROW; }

 private:
  Statement statement_;
  int code_ = SQLITE_DONE;
};

/// What version 2 of the tables added; no rows in a file of version 1.
inline base::Result<SampleRows> open_suspensions(const Database& database) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version < 2) return SampleRows();
  return SampleRows::open(database, "SELECT sample, seconds FROM suspension ORDER BY id");
}

}  // namespace twtrace::capture
