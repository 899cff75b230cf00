// SPDX-License-Identifier: Apache-2.0
// The place where a capture is written, safe from other users. See "Files" in docs/capture.md.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::capture {

/// The user who called. Under sudo this is not the effective user.
struct Invoker {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// The effective user. If that is root, the user that SUDO_UID and SUDO_GID name, if both are numbers.
Invoker invoker();

/// Whether that user, without any privilege, can write, rename and remove a capture at `path`: asked of the kernel with
/// the user's ids, for the directory, and of the owners of the files there in a directory that everybody may write to.
/// Only root can ask for somebody else. Not while other threads run.
bool can_write_without_privileges(const std::string& path, const Invoker& who);

/// A file to which only this process may write a capture. It is FILE.new until place() gives it its name. So an earlier
/// capture stays in place until there is something to replace it. Locked from check() to destruction. The kernel drops
/// the lock when the process ends. Must outlive every database connection to the file in this process, because closing
/// a descriptor drops SQLite's locks. Move-only. Not thread-safe.
class TargetFile {
 public:
  /// Checks the place and makes an empty FILE.new, with mode 0600, owned by the invoker. kUsage for "-" and for an
  /// invalid file name. kFailure, with a remedy, if the directory does not exist, is not writable, belongs to another
  /// user or is writable for everybody, or if FILE or FILE.old is a link, not a regular file, not a capture, or a
  /// capture in use. An earlier FILE.new with samples is renamed, with a warning.
  static base::Result<TargetFile> check(const std::string& path, const Invoker& invoker);
  TargetFile(TargetFile&& other) noexcept = default;
  TargetFile& operator=(TargetFile&& other) noexcept;
  TargetFile(const TargetFile&) = delete;
  TargetFile& operator=(const TargetFile&) = delete;
  /// Removes FILE.new unless it was placed or is worth keeping.
  ~TargetFile();

  /// Tells that the file has contents, so it stays even if it is never placed.
  void keep() { worth_keeping_ = true; }
  /// Moves an earlier capture to FILE.old (with its -wal, if it was cut short), and FILE.new to FILE. No connection to
  /// FILE.new may be open. Returns false and changes nothing while another program has the earlier one open in WAL
  /// mode, because that program would take our -wal for its own, or while another capture writes FILE.old. If this is
  /// interrupted at any point, the earlier capture can be read under one of the two names.
  base::Result<bool> place();
  /// Why place() returned false at last, in words.
  const std::string& in_the_way() const { return in_the_way_; }
  bool placed() const { return placed_; }
  /// Whether path() is this file: it was placed, and nobody has moved or removed it since.
  bool in_place() const;

  /// Absolute, without links.
  const std::string& path() const { return path_; }
  /// As the user named it.
  const std::string& given() const { return given_; }
  /// The path of the file until it is placed.
  std::string new_path() const;

 private:
  TargetFile() = default;
  void sync_directory() const;

  std::string given_;
  std::string path_;
  std::string in_the_way_;
  base::UniqueFd file_;  ///< holds the lock
  bool worth_keeping_ = false;
  bool placed_ = false;
};

}  // namespace twtrace::capture
