// SPDX-License-Identifier: Apache-2.0
#include "capture/growing_file.hpp"

#include <chrono>
#include <thread>

#include "twtrace/capture_schema.hpp"

namespace twtrace::capture {
namespace {

/// How long to wait at the end for readers to close the file, and how long between two checks.
constexpr std::chrono::milliseconds kReaderPatience(1000);
constexpr std::chrono::milliseconds kReaderPoll(20);

}  // namespace

base::Error GrowingFile::harmed(Harm harm) const {
  std::string what = target_.given() + (harm == Harm::kIndex ? "-shm" : "-wal") + " was changed by another program";
  if (harm == Harm::kCut) what += ", which lost the newest samples";
  return {base::ErrorCode::kFailure, 0, what, "leave -wal and -shm alone while a capture runs"};
}

base::Result<void> GrowingFile::check_companions() {
  if (broken_) return tl::unexpected(*broken_);
  const Harm harm = companions_.look();
  if (harm == Harm::kNone) return {};
  // The part that was cut off reads as zeroes. They must not get into FILE when it is closed.
  if (harm == Harm::kCut) sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return give_up(harmed(harm));
}

/// Uses no journal, because a file that is cut short here holds nothing anyway.
base::Result<void> GrowingFile::begin_tables() {
  if (auto opened = open(target_.new_path()); !opened) return opened;
  const std::string begin = "PRAGMA journal_mode=MEMORY; PRAGMA application_id=" + std::to_string(kApplicationId) +
                            "; PRAGMA user_version=" + std::to_string(kSchemaVersion) + "; BEGIN";
  auto done = database_.exec(begin.c_str(), "cannot be written");
  for (const SchemaTable& table : kSchema) {
    if (done) done = database_.exec(table.sql, "cannot be written");
  }
  return done;
}

base::Result<void> GrowingFile::open(const std::string& path) {
  auto database = Database::open(file_uri(path) + "?mode=rw", target_.given(),
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, nullptr);
  if (!database) return tl::unexpected(database.error());
  database_ = std::move(*database);
  sqlite3_busy_timeout(database_.get(), kBusyTimeoutMs);
  return database_.exec("PRAGMA temp_store=MEMORY", "cannot be opened");
}

/// In WAL mode others can read while this process writes. The first read makes -wal and -shm, and takes the lock that
/// tells others about it.
base::Result<void> GrowingFile::share() {
  const auto shared = set_journal("wal");
  if (!shared) return tl::unexpected(shared.error());
  if (*shared) {
    if (auto looked = database_.number("SELECT count(*) FROM capture"); !looked) return tl::unexpected(looked.error());
    companions_ = Companions(target_.placed() ? target_.path() : target_.new_path());
    return synchronize(durability_ == Durability::kEachSample ? "FULL" : "OFF");
  }
  return base::fail(base::ErrorCode::kFailure,
                    target_.given() + ": its file system cannot safely hold a growing database",
                    "write to a local file system");
}

/// SQLite finds -wal and -shm by the file's name, so the file is closed while it is renamed.
base::Result<void> GrowingFile::place() {
  if (broken_) return tl::unexpected(*broken_);
  target_.keep();
  const auto left = settle();
  if (!left) return give_up(left.error());
  const auto placed = *left == Left::kPlainFile ? target_.place() : base::Result<bool>(false);
  if (!placed) return give_up(placed.error());
  auto shared = open(*placed ? target_.path() : target_.new_path());
  if (shared) shared = share();
  return shared ? shared : give_up(shared.error());
}

base::Result<Left> GrowingFile::close() {
  if (broken_) return tl::unexpected(*broken_);
  if (target_.placed()) {
    auto left = settle();
    return left ? left : give_up(left.error());
  }
  const auto left = settle();
  if (!left) return give_up(left.error());
  is_kept_ = true;
  const std::string why =
      target_.in_the_way().empty() ? "another program reads " + target_.new_path() : target_.in_the_way();
  return base::fail(base::ErrorCode::kFailure, why + ", so the new capture is " + target_.new_path(),
                    std::string("rename it") + (*left == Left::kWal ? ", together with its -wal" : "") +
                        ": the next capture to " + target_.given() + " does not take its place");
}

/// Turns it into one plain file and closes it.
base::Result<Left> GrowingFile::settle() {
  if (auto synced = synchronize("FULL"); !synced) return tl::unexpected(synced.error());
  // Moves what readers allow into FILE, in case they stay.
  if (auto moved = database_.exec("PRAGMA wal_checkpoint(PASSIVE)", "cannot be written"); !moved) {
    return tl::unexpected(moved.error());
  }
  auto whole = set_journal("delete");
  for (auto waited = kReaderPoll; whole && !*whole && waited <= kReaderPatience; waited += kReaderPoll) {
    std::this_thread::sleep_for(kReaderPoll);
    whole = set_journal("delete");
  }
  if (!whole) return tl::unexpected(whole.error());
  database_ = Database();
  companions_ = Companions();
  return *whole ? Left::kPlainFile : Left::kWal;
}

/// False if the mode does not change: another program has the file open, or its file system does not support the other
/// mode.
base::Result<bool> GrowingFile::set_journal(const std::string& mode) const {
  auto change = database_.prepare("PRAGMA journal_mode=" + mode);
  if (!change) return tl::unexpected(change.error());
  const int code = change->step();
  if (code == SQLITE_BUSY) return false;
  if (code != SQLITE_ROW) return tl::unexpected(database_.error("cannot change the journal to " + mode));
  const auto* const now = reinterpret_cast<const char*>(sqlite3_column_text(change->get(), 0));
  return now != nullptr && mode == now;
}

/// FULL: a transaction is on the device when it returns.
base::Result<void> GrowingFile::synchronize(const char* mode) const {
  return database_.exec((std::string("PRAGMA synchronous=") + mode).c_str(), "cannot be written");
}

tl::unexpected<base::Error> GrowingFile::give_up(base::Error error) {
  if (target_.placed() && !target_.in_place()) {
    error = {base::ErrorCode::kFailure, 0, target_.given() + " was moved or removed while it was written",
             "leave it where it is, with -wal and -shm, until the capture has ended"};
  }
  broken_ = error;
  return tl::unexpected(std::move(error));
}

}  // namespace twtrace::capture
