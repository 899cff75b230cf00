// SPDX-License-Identifier: Apache-2.0
// Private to capture: what other programs may do to the files beside an open database.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.hpp"

namespace twtrace::capture {

/// SQLite maps FILE-shm, and an access to a mapped file that somebody has truncated ends the process with SIGBUS. While
/// one of these exists such an access reads zeroes instead, which SQLite takes for an index that it has to build again.
/// Takes the process's SIGBUS handler; nested ones share it. Not thread-safe.
class TruncationGuard {
 public:
  TruncationGuard();
  TruncationGuard(const TruncationGuard&) = delete;
  TruncationGuard& operator=(const TruncationGuard&) = delete;
  ~TruncationGuard();

  /// How often that has happened in this process.
  static std::uint64_t hits();
};

/// What somebody else has done to the files beside a database.
enum class Harm {
  kNone,
  kIndex,    ///< -shm was removed, replaced or truncated: SQLite can build it again
  kRemoved,  ///< -wal was removed or replaced: only this process still has what is in it
  kCut,      ///< -wal was truncated: what was in it is lost, and must not be copied into FILE
};

/// The -wal and -shm of a database that this process writes. Must outlive the database: closing a descriptor takes
/// SQLite's locks away. Move-only. Not thread-safe.
class Companions {
 public:
  Companions() = default;
  /// Both exist, as SQLite has made them.
  explicit Companions(const std::string& path);

  Harm look() const;

 private:
  struct File {
    std::string path;
    base::UniqueFd descriptor;
  };

  File wal_;
  File shm_;
};

}  // namespace twtrace::capture
