// SPDX-License-Identifier: Apache-2.0
// Private to capture: what locks on a capture file say about who uses it.
#pragma once

#include "base/result.hpp"

namespace twtrace::capture {

/// Claims the file for one writer, until every descriptor of this open file is closed: the kernel does that when the
/// process ends, however it ends. An OFD lock, which survives SQLite's closing the same file, on a byte that SQLite
/// does not lock. False when another capture has it; kFailure where the file system has no locks.
base::Result<bool> lock_for_writing(int fd);

/// A capture has claimed the file, in this process or in another one.
bool is_written(int fd);

/// Another process has the file open as a database in WAL mode, or is in the middle of a transaction.
bool is_open_elsewhere(int fd);

}  // namespace twtrace::capture
