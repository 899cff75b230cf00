// SPDX-License-Identifier: Apache-2.0
#include "capture/sqlite.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace twtrace::capture {
namespace {

/// SQLite forgets the errno of most failed writes.
bool has_file_size_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

const char* remedy(int code) {
  switch (code) {
    case SQLITE_FULL:
      return "make room, or write to another device";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged; sqlite3 FILE .recover may save parts of it";
    case SQLITE_TOOBIG:
      return "the file is damaged or forged; trust nothing in it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program has locked it; try again after that program has ended";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return "check who may read and write the file, FILE-wal and their directory";
    default:
      return has_file_size_limit() ? "the file-size limit (ulimit -f) may be reached; raise it"
                                   : "the device or the file system failed; use another one";
  }
}

}  // namespace

base::Error sqlite_error(sqlite3* database, const std::string& path, const std::string& doing) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_errcode(database) & 0xff;
  const int system = database == nullptr ? 0 : sqlite3_system_errno(database);
  const bool in_system = system != 0 && (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN);
  base::Error error;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_TOOBIG;
  error.code = damaged ? base::ErrorCode::kInvalid : base::ErrorCode::kFailure;
  error.sys_errno = in_system ? system : 0;
  error.what = fmt::format("{}: {}: {}", path, doing, in_system ? std::strerror(system) : sqlite3_errstr(code));
  error.hint = remedy(in_system && system == ENOSPC ? SQLITE_FULL : code);
  return error;
}

base::Result<Database> Database::open(const std::string& uri, const std::string& path, int flags, const char* vfs) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &handle,
                                   flags | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOMUTEX, vfs);
  Database database;
  database.guard_ = std::make_unique<TruncationGuard>();
  database.handle_.reset(handle);
  database.path_ = path;
  if (code != SQLITE_OK) return tl::unexpected(database.error("cannot be opened"));
  return database;
}

base::Result<void> Database::exec(const char* sql, const std::string& doing) const {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return tl::unexpected(error(doing));
  return {};
}

base::Result<Statement> Database::prepare(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error("cannot be used"));
  return Statement(statement);
}

base::Result<std::int64_t> Database::number(const char* sql) const {
  auto query = prepare(sql);
  if (!query) return tl::unexpected(query.error());
  if (query->step() != SQLITE_ROW) return tl::unexpected(error("cannot be read"));
  return sqlite3_column_int64(query->get(), 0);
}

std::string file_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri;
}

}  // namespace twtrace::capture
