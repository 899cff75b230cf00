// SPDX-License-Identifier: Apache-2.0
// Standard output, which gets all data or returns an error, and standard error.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::app {

/// Call before opening anything else. Makes sure that file descriptors 0, 1 and 2 are taken. Otherwise a file of ours
/// could get the number of a stream that the caller closed, and be written to.
void prepare_standard_streams();

/// Writes all of `text`, unbuffered. Waits for a slow reader, even if the stream is non-blocking (O_NONBLOCK). A signal
/// ends the wait, see OutputWait. Then a pipe has whole lines, if they fit into PIPE_BUF. kReaderGone if there is no
/// reader any more. With an empty text it only checks that.
base::Result<void> write_stdout(std::string_view text);

/// The same for a command's complete output. It does not matter how much of it the reader wanted, and the exit code
/// stays the command's own.
base::Result<void> print(std::string_view text);

/// The same as write_stdout() for standard error. Ignores failures, because there is nobody to tell.
void write_stderr(std::string_view text);

/// How much of a non-empty `text` to write to a pipe at once: as many whole lines as the kernel writes atomically
/// (PIPE_BUF, pipe(7)), or one longer line. Pure.
std::size_t piece_for_pipe(std::string_view text);

}  // namespace twtrace::app
