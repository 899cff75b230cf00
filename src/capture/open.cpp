// SPDX-License-Identifier: Apache-2.0
#include "capture/open.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/unique_fd.hpp"
#include "capture/limits.hpp"
#include "capture/locks.hpp"
#include "twtrace/capture_schema.hpp"

namespace twtrace::capture {
namespace {

// The database header: https://sqlite.org/fileformat.html, "The Database Header".
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kHeaderSize = 100;
constexpr std::size_t kApplicationIdOffset = 68;
constexpr std::size_t kPageSizeOffset = 16;
constexpr std::size_t kReadVersionOffset = 19;
constexpr char kWalVersion = 2;
/// How often to try to open a file while another capture takes over its name.
constexpr int kOpenAttempts = 3;

/// Of a row; an argument is the longest word.
constexpr int kLongestRow = 2 * kLongestArgument;

base::Error unreadable(int saved_errno, const std::string& path) {
  if (saved_errno == ENOENT && is_reserved(path)) {
    return {base::ErrorCode::kFailure, 0, path + ": the capture has no sample yet",
            "try again after its first interval"};
  }
  auto error =
      base::fail_errno(saved_errno, path, saved_errno == ENOENT ? "name a file that twtrace capture wrote" : "")
          .value();
  if (error.code == base::ErrorCode::kPermission) {
    error.code = base::ErrorCode::kFailure;
    error.hint = "read it as its owner, or as root";
  }
  return error;
}

tl::unexpected<base::Error> foreign(const std::string& path, const std::string& what) {
  return base::fail(base::ErrorCode::kInvalid, path + what, "name a file that twtrace capture wrote");
}

base::Error damaged(const std::string& path) {
  return {base::ErrorCode::kInvalid, 0, path + " is damaged", "sqlite3 FILE .recover may save parts of it"};
}

using Header = std::array<char, kHeaderSize>;

/// What compressed files begin with.
bool is_compressed(std::string_view begin) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view magic :
       {"\x1f\x8b"sv, "\x28\xb5\x2f\xfd"sv, "\xfd\x37zXZ\0"sv, "BZh"sv}) {  // gzip, zstd, xz, bzip2
    if (begin.starts_with(magic)) return true;
  }
  return false;
}

/// kInvalid unless it begins like a capture.
base::Result<Header> read_header(int fd, const std::string& path) {
  Header header{};
  const ssize_t got = ::pread(fd, header.data(), header.size(), 0);
  const int saved_errno = errno;
  if (got < 0) return tl::unexpected(unreadable(saved_errno, path));
  if (got == 0) return foreign(path, " is empty");
  if (is_compressed({header.data(), static_cast<std::size_t>(got)})) {
    return base::fail(base::ErrorCode::kInvalid, path + " is compressed", "unpack it first");
  }
  const bool database =
      static_cast<std::size_t>(got) == kHeaderSize && std::string_view(header.data(), kMagic.size()) == kMagic;
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < sizeof(id); ++i) {
    id = id << 8U | static_cast<unsigned char>(header.at(kApplicationIdOffset + i));
  }
  return database && id == kApplicationId ? base::Result<Header>(header) : foreign(path, " is not a capture");
}

/// "The database page size in bytes: a power of two between 512 and 32768, or 1 for 65536", in two bytes.
off_t page_size(const Header& header) {
  const auto high = static_cast<unsigned char>(header.at(kPageSizeOffset));
  const auto low = static_cast<unsigned char>(header.at(kPageSizeOffset + 1));
  const off_t size = high * 256 + low;
  return size > 1 ? size : 65536;
}

base::Result<void> harden(const Database& database) {
  sqlite3* handle = database.get();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLongestRow);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return database.exec("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY", "cannot be opened");
}

std::string text_of(sqlite3_stmt* row, int column) {
  const void* text = sqlite3_column_text(row, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  return text == nullptr ? std::string() : std::string(static_cast<const char*>(text), size);
}

base::Result<void> check_version(const Database& database) {
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  if (*version >= 1 && *version <= kSchemaVersion) return {};
  if (*version > kSchemaVersion) {
    return base::fail(base::ErrorCode::kFailure,
                      fmt::format("{}: version {} of the file format is newer than this twtrace, which knows {}",
                                  database.path(), *version, kSchemaVersion),
                      "use a newer twtrace");
  }
  return foreign(database.path(), " is not a capture");
}

/// Accepts exactly our tables. A view, a trigger or an index could make a query run foreign code.
base::Result<void> check_schema(const Database& database) {
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  auto query = database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY rowid");
  if (!query) return tl::unexpected(query.error());
  bool known = true;
  for (const SchemaTable& table : kSchema) {
    if (!known || table.since > *version) continue;
    const int code = query->step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return tl::unexpected(database.error("cannot be read"));
    known = code == SQLITE_ROW && text_of(query->get(), 0) == "table" && text_of(query->get(), 1) == table.name &&
            text_of(query->get(), 2) == schema_sql(table, static_cast<int>(*version));
  }
  if (known && query->step() == SQLITE_DONE) return {};
  return foreign(database.path(), " is not a capture: it does not have the tables of one");
}

base::Result<void> check_pages(const Database& database) {
  auto query = database.prepare("PRAGMA quick_check(1)");
  if (!query) return tl::unexpected(query.error());
  if (query->step() != SQLITE_ROW) return tl::unexpected(database.error("cannot be read"));
  if (text_of(query->get(), 0) == "ok") return {};
  return tl::unexpected(damaged(database.path()));
}

/// Opens the file so that SQLite writes nothing, neither to the file nor to FILE-shm. With a running capture, it shares
/// the index. A file that was cut short is read together with its -wal, with an index in our own memory. This needs a
/// connection without locks (unix-none) that claims to be alone. Without a -wal there is only the file.
base::Result<Database> open_unwritten(const Looked& looked, const std::string& path) {
  const std::string uri = file_uri(looked.path) + "?mode=ro";
  if (looked.in_use || looked.written) return Database::open(uri, path, SQLITE_OPEN_READONLY, nullptr);
  if (!looked.has_wal) return Database::open(uri + "&immutable=1", path, SQLITE_OPEN_READONLY, nullptr);
  auto database = Database::open(uri, path, SQLITE_OPEN_READONLY, "unix-none");
  if (!database) return database;
  if (auto alone = database->exec("PRAGMA locking_mode=EXCLUSIVE", "cannot be opened"); !alone) {
    return tl::unexpected(alone.error());
  }
  return database;
}

bool still_named(const Looked& looked) {
  struct stat found {};
  return ::stat(looked.path.c_str(), &found) == 0 && found.st_dev == looked.device && found.st_ino == looked.inode;
}

}  // namespace

base::Result<Looked> look_at(const std::string& path) {
  // To open a device may do something, so it is not opened.
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) return foreign(path, " is not a regular file");
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const int saved_errno = errno;
  if (!file) return tl::unexpected(unreadable(saved_errno, path));
  if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return foreign(path, " is not a regular file");
  const auto header = read_header(file.get(), path);
  if (!header) return tl::unexpected(header.error());
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(path, error);
  if (error) return tl::unexpected(unreadable(error.value(), path));
  Looked looked;
  looked.path = resolved.string();
  looked.device = found.st_dev;
  looked.inode = found.st_ino;
  looked.written = is_written(file.get());
  looked.in_use = is_open_elsewhere(file.get());
  looked.in_wal_mode = header->at(kReadVersionOffset) == kWalVersion;
  looked.cut_off = found.st_size % page_size(*header) != 0;
  looked.has_wal = ::stat((looked.path + "-wal").c_str(), &found) == 0 && found.st_size > 0;
  return looked;
}

base::Result<Opened> open_for_reading(const std::string& path) {
  for (int attempt = 1;; ++attempt) {
    auto looked = look_at(path);
    if (!looked) return tl::unexpected(looked.error());
    auto database = open_unwritten(*looked, path);
    if (!database) return tl::unexpected(database.error());
    base::Result<void> sound;
    if (looked->cut_off && !looked->has_wal) sound = tl::unexpected(damaged(path));
    for (const auto& step : {harden, check_version, check_schema, check_pages}) {
      if (sound) sound = step(*database);
    }
    // If a new capture has taken the name, this one may have been read with the -wal of the new one.
    if (!still_named(*looked) && attempt < kOpenAttempts) continue;
    if (!sound) return tl::unexpected(sound.error());
    return Opened{std::move(*database), std::move(*looked)};
  }
}

base::Result<Database> open_for_adding(const std::string& path) {
  const auto looked = look_at(path);
  if (!looked) return tl::unexpected(looked.error());
  auto database =
      Database::open(file_uri(looked->path) + "?mode=rw", path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, nullptr);
  if (!database) return database;
  for (const auto& step : {harden, check_version, check_schema}) {
    if (auto done = step(*database); !done) return tl::unexpected(done.error());
  }
  return database;
}

}  // namespace twtrace::capture
