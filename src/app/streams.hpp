// SPDX-License-Identifier: Apache-2.0
// Data goes to standard output, whole or with an error.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace twtrace::app {

/// Before anything else is opened: makes sure that file descriptors 0, 1 and 2 are taken, so that no file of ours gets
/// the number of a stream that the caller closed and is written to, and lets a reader that went away be an error of
/// write_stdout instead of a signal.
void prepare_standard_streams();

/// Writes all of `text`, unbuffered. kReaderGone when there is no reader any more; with nothing to write it only finds
/// that out.
base::Result<void> write_stdout(std::string_view text);

/// The same for all that a command has to say: it does not matter how much of that the reader wanted, and the exit code
/// stays the command's own.
base::Result<void> print(std::string_view text);

}  // namespace twtrace::app
