// SPDX-License-Identifier: Apache-2.0
// Private to capture: opening a file that somebody else may have made.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "capture/sqlite.hpp"

namespace twtrace::capture {

/// What can be told without SQLite.
struct Looked {
  std::string path;          ///< absolute, without links
  dev_t device = 0;          ///< which file had that name
  ino_t inode = 0;           ///< the same
  bool written = false;      ///< a capture writes it
  bool in_use = false;       ///< another process has it open as a database
  bool in_wal_mode = false;  ///< it was not finished, or not made one plain file
  bool has_wal = false;      ///< the newest samples are in FILE-wal
  bool cut_off = false;      ///< its last page is not whole: SQLite would read zeroes
};

/// Opens, looks and closes. kNotFound, kFailure or kInvalid, each with what to do, for what cannot be read, is no
/// regular file, or is no capture. Not while this process has the file open as a database: closing would take its locks
/// away.
base::Result<Looked> look_at(const std::string& path);

/// A database, and what could be told of its file before it was opened.
struct Opened {
  Database database;
  Looked looked;
};

/// Opens for reading: nothing in the file's directory is changed, whoever is asking. The schema is verified to be
/// exactly ours, and the pages to be sound. kInvalid for what is not, kFailure for a newer version.
base::Result<Opened> open_for_reading(const std::string& path);

/// Opens a running capture's file for adding to it.
base::Result<Database> open_for_adding(const std::string& path);

}  // namespace twtrace::capture
