// SPDX-License-Identifier: Apache-2.0
// Private to capture: detects what other programs do to the files beside an open database.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.hpp"

namespace twtrace::capture {

/// SQLite maps FILE-shm. If another program truncates a mapped file, an access to it ends the process with SIGBUS.
/// While an object of this class exists, such an access reads zeroes instead. SQLite takes these for an index that it
/// must rebuild. Takes over the process's SIGBUS handler; nested objects share it. Not thread-safe.
class TruncationGuard {
 public:
  TruncationGuard();
  TruncationGuard(const TruncationGuard&) = delete;
  TruncationGuard& operator=(const TruncationGuard&) = delete;
  ~TruncationGuard();

  /// How often this has happened in this process.
  static std::uint64_t hits();
};

/// What another program has done to the files beside a database.
enum class Harm {
  kNone,
  kIndex,    ///< -shm was removed, replaced or truncated; SQLite can rebuild it
  kRemoved,  ///< -wal was removed or replaced; only this process still has its contents
  kCut,      ///< -wal was truncated; its contents are lost, and must not be copied into FILE
};

/// The -wal and -shm of a database that this process writes. Must outlive the database, because closing a descriptor
/// drops SQLite's locks. Move-only. Not thread-safe.
class Companions {
 public:
  Companions() = default;
  /// Of the database at `path`, as they are now.
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
