// SPDX-License-Identifier: Apache-2.0
// Private to capture: a database that one process writes while others read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "capture/durability.hpp"
#include "capture/sqlite.hpp"
#include "capture/target_file.hpp"
#include "capture/truncation.hpp"

namespace twtrace::capture {

/// The file from its first table to its end: transactions, journal, and renaming from FILE.new to FILE. After a failure
/// nothing more can be written. Statements must not outlive place() and close(). Not thread-safe.
class GrowingFile {
 public:
  GrowingFile(TargetFile target, Durability durability) : target_(std::move(target)), durability_(durability) {}

  const Database& database() const { return database_; }
  bool placed() const { return target_.placed(); }
  bool in_place() const { return target_.in_place(); }

  /// Opens FILE.new and creates the tables. `write` fills them. Others may read from here on.
  template <class Write>
  base::Result<void> create(const Write& write) {
    if (auto begun = begin_tables(); !begun) return begun;
    if (auto written = write(); !written) return written;
    if (auto done = database_.exec("COMMIT", "cannot be written"); !done) return done;
    return share();
  }

  /// Runs `write` between BEGIN and COMMIT. `write` returns whether it succeeded. If SQLite is not to blame, it says
  /// with refuse() what is.
  template <class Write>
  base::Result<void> transaction(const Write& write) {
    if (auto usable = check_companions(); !usable) return usable;
    const std::uint64_t hits = TruncationGuard::hits();
    if (database_.exec("BEGIN IMMEDIATE", "") && write() && database_.exec("COMMIT", "")) {
      return TruncationGuard::hits() == hits ? base::Result<void>() : give_up(harmed(Harm::kIndex));
    }
    const base::Error error = refused_ ? *refused_ : database_.error("cannot be written");
    static_cast<void>(database_.exec("ROLLBACK", ""));
    return give_up(error);
  }

  /// `what` follows the name of the file.
  void refuse(const std::string& what, const std::string& hint) {
    refused_ = base::Error{base::ErrorCode::kFailure, 0, target_.given() + ": " + what, hint};
  }

  /// Whether place() is due: with the first sample, or at the `end` if the file is of no use before.
  bool wants_name(bool end) const { return !placed() && (end || durability_ == Durability::kEachSample); }
  /// Gives the file its name. While another program has the earlier capture open in WAL mode, it stays FILE.new, and
  /// the next call tries again.
  base::Result<void> place();
  /// Ends the file as one plain file, unless another program keeps it open for more than a second. kFailure if it could
  /// not be placed; then it is whole as kept_as().
  base::Result<Left> close();
  /// The path of a file that close() has ended but that could not be placed.
  std::optional<std::string> kept_as() const { return is_kept_ ? std::optional(target_.new_path()) : std::nullopt; }

 private:
  base::Result<void> check_companions();
  base::Error harmed(Harm harm) const;
  base::Result<void> begin_tables();
  base::Result<void> open(const std::string& path);
  base::Result<void> share();
  base::Result<Left> settle();
  base::Result<bool> set_journal(const std::string& mode) const;
  base::Result<void> synchronize(const char* mode) const;
  /// If somebody has moved or removed the file, that is the error.
  tl::unexpected<base::Error> give_up(base::Error error);

  TargetFile target_;  ///< declared before the database, so it outlives it
  Durability durability_;
  bool is_kept_ = false;
  Companions companions_;  ///< the same
  Database database_;
  std::optional<base::Error> refused_;  ///< by `write` of transaction()
  std::optional<base::Error> broken_;
};

}  // namespace twtrace::capture
