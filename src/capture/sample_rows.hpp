// SPDX-License-Identifier: Apache-2.0
// Private to capture: rows that belong to samples.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "capture/columns.hpp"
#include "capture/sqlite.hpp"
#include "capture/versions.hpp"

namespace twtrace::capture {

/// Rows whose first column is a sample, in the order of the samples. Looks one row ahead. A default object has no rows.
class SampleRows {
 public:
  /// `database` must outlive the rows.
  static base::Result<SampleRows> open(const Database& database, const std::string& sql) {
    auto statement = database.prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    SampleRows rows;
    rows.database_ = &database;
    rows.statement_ = std::move(*statement);
    rows.next();
    return rows;
  }

  /// True if the present row belongs to this sample, or to an earlier one. The latter is out of order, which the caller
  /// finds.
  bool at(std::int64_t sample) const {
    return code_ == SQLITE_ROW && sqlite3_column_int64(statement_.get(), 0) <= sample;
  }
  /// The present row, after its first column, which must be `sample`.
  Columns row(std::int64_t sample) const {
    Columns columns(statement_.get());
    columns.expect(columns.integer() == sample);
    return columns;
  }
  void next() {
    code_ = statement_.step();
    if (code_ != SQLITE_ROW && code_ != SQLITE_DONE) error_ = database_->error("cannot be read");
  }
  /// False if rows are left, or if reading them failed.
  bool done() const { return code_ == SQLITE_DONE; }
  /// Why the row after the last one could not be read; rows of the sample at hand may be missing then.
  const std::optional<base::Error>& error() const { return error_; }

 private:
  const Database* database_ = nullptr;
  Statement statement_;
  int code_ = SQLITE_DONE;
  std::optional<base::Error> error_;
};

/// No rows in a file that is older than the table.
inline base::Result<SampleRows> open_suspensions(const Database& database) {
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  if (*version < kVersionWithSuspensions) return SampleRows();
  return SampleRows::open(database, "SELECT sample, seconds FROM suspension ORDER BY id");
}

}  // namespace twtrace::capture
