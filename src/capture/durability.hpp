// SPDX-License-Identifier: Apache-2.0
// What remains of a capture, after a power cut and after its end.
#pragma once

namespace twtrace::capture {

/// When written data survives a power cut.
enum class Durability { kEachSample, kWhenFinished };

/// What Writer::finish() leaves behind.
enum class Left {
  kPlainFile,  ///< no -wal, no -shm
  kWal,        ///< another program reads the file, so -wal and -shm stay until the last one closes it
};

}  // namespace twtrace::capture
