// SPDX-License-Identifier: Apache-2.0
// Private to capture: locks on a capture file, which tell who uses it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::capture {

/// Claims the file for one writer, until every descriptor of this open file is closed. The kernel closes them when the
/// process ends for any reason. It is an OFD lock, which stays when SQLite closes the same file, on a byte that SQLite
/// does not lock. False if another capture has it; kFailure if the file system has no locks.
base::Result<bool> lock_for_writing(int fd);

/// True if a capture has claimed the file, in this process or in another one.
bool is_written(int fd);

/// A capture FILE is FILE.new until its first sample.
inline constexpr std::string_view kNew = ".new";

/// True if a capture without a sample yet is going to write to this path.
bool is_reserved(const std::string& path);

/// True if another process has the file open as a database in WAL mode, or is in a transaction.
bool is_open_elsewhere(int fd);

}  // namespace twtrace::capture
