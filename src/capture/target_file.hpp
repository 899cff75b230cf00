// SPDX-License-Identifier: Apache-2.0
// Where a capture is written to, so that nobody else decides about it: see "Files" in docs/capture.md.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::capture {

/// Who called: under sudo not the effective user.
struct Invoker {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// The effective user; as root the one that SUDO_UID and SUDO_GID name, when both are numbers.
Invoker invoker();

/// A file that this process alone may write a capture to. It is FILE.new until place() gives it its name, so an earlier
/// capture stays where it is until there is something to replace it with. Locked from check() to destruction; the
/// kernel drops the lock with the process. Must outlive every database connection to the file in this process, because
/// closing a descriptor takes SQLite's locks away. Move-only. Not thread-safe.
class TargetFile {
 public:
  /// Checks the place and makes FILE.new, empty, of mode 0600, the invoker's. kUsage for "-" and for what is no file
  /// name. kFailure, with what to do: the directory does not exist, may not be written to, belongs to somebody else or
  /// may be written to by everybody; what is there already (at FILE or FILE.old) is a link, no regular file, no
  /// capture, or one that is in use.
  static base::Result<TargetFile> check(const std::string& path, const Invoker& invoker);
  TargetFile(TargetFile&& other) noexcept = default;
  TargetFile& operator=(TargetFile&& other) noexcept;
  TargetFile(const TargetFile&) = delete;
  TargetFile& operator=(const TargetFile&) = delete;
  /// Removes FILE.new unless it was placed or is worth keeping.
  ~TargetFile();

  /// The file holds something: it stays even when it is never placed.
  void keep() { worth_keeping_ = true; }
  /// Moves an earlier capture to FILE.old (with the -wal of one that was cut), and FILE.new to FILE. No connection to
  /// FILE.new may be open. False, and nothing has changed, while another program has the earlier one open in WAL mode:
  /// it would take our -wal for its own. Whenever this is cut short, the earlier capture can be read under one of the
  /// two names.
  base::Result<bool> place();
  bool placed() const { return placed_; }

  /// Absolute, without links in it.
  const std::string& path() const { return path_; }
  /// As the user named it.
  const std::string& given() const { return given_; }
  /// Where the file is until it is placed.
  std::string new_path() const;

 private:
  TargetFile() = default;
  void sync_directory() const;

  std::string given_;
  std::string path_;
  base::UniqueFd file_;  ///< holds the lock
  bool worth_keeping_ = false;
  bool placed_ = false;
};

/// A capture that has no sample yet is going to be written to this path.
bool is_reserved(const std::string& path);

}  // namespace twtrace::capture
