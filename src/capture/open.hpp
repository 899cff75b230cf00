// SPDX-License-Identifier: Apache-2.0
// Private to capture: opens a file from an untrusted source.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "capture/sqlite.hpp"

namespace twtrace::capture {

/// Facts about a file, found without SQLite.
struct Looked {
  std::string path;          ///< absolute, without links
  dev_t device = 0;          ///< identifies the file that had this name
  ino_t inode = 0;           ///< the same
  bool written = false;      ///< a capture is writing it
  bool in_use = false;       ///< another process has it open as a database
  bool in_wal_mode = false;  ///< it was not finished, or not turned into one plain file
  bool has_wal = false;      ///< the newest samples are in FILE-wal
  bool cut_off = false;      ///< its last page is incomplete; SQLite would read zeroes
};

/// Opens the file, looks at it, and closes it. kNotFound, kFailure or kInvalid, each with a remedy, if it cannot be
/// read, is not a regular file, or is not a capture. Do not call this while this process has the file open as a
/// database, because closing would drop its locks.
base::Result<Looked> look_at(const std::string& path);

/// A database, and the facts about its file before it was opened.
struct Opened {
  Database database;
  Looked looked;
};

/// Opens for reading. Never changes anything in the file's directory. Verifies that the schema is exactly ours and that
/// the pages are sound; kInvalid if not, kFailure for a newer version.
base::Result<Opened> open_for_reading(const std::string& path);

/// Opens the file of a running capture to add to it.
base::Result<Database> open_for_adding(const std::string& path);

}  // namespace twtrace::capture
