// SPDX-License-Identifier: Apache-2.0
// Standard output, which gets all data or returns an error, and standard error with its status line.
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

/// Shows a status on the last line of the terminal, in place of the one before. Cuts it to the terminal's width. Does
/// nothing if standard error is no terminal, if this process runs in its background, or if writing would block. The
/// functions above remove the status before they write to a terminal. `text`: one line of printable UTF-8.
void show_status(std::string_view text);
/// Removes the status. Call it before another process may write to the terminal.
void clear_status();

/// How much of a non-empty `text` to write to a pipe at once: as many whole lines as the kernel writes atomically
/// (PIPE_BUF, pipe(7)), or one longer line. Pure.
std::size_t piece_for_pipe(std::string_view text);

}  // namespace twtrace::app
