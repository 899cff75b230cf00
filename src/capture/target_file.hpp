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

/// A checked place for a file. Nothing is created or renamed before create().
class TargetFile {
 public:
  /// kUsage for "-" and for what is no file name. kFailure, with what to do: the directory does not exist, may not be
  /// written to, belongs to somebody else or may be written to by everybody; what is there already is a link, no
  /// regular file, no capture, or one that is being written.
  static base::Result<TargetFile> check(const std::string& path, const Invoker& invoker);

  /// Moves an earlier capture to PATH.old (with the -wal of one that was cut), and makes an empty file of mode 0600
  /// that belongs to the invoker.
  base::Result<void> create() const;

  /// Absolute, without links in it.
  const std::string& path() const { return path_; }
  /// As the user named it.
  const std::string& given() const { return given_; }

 private:
  std::string given_;
  std::string path_;
  Invoker invoker_;
};

}  // namespace twtrace::capture
