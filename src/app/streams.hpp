// SPDX-License-Identifier: Apache-2.0
// Standard output, which gets all of the data or an error, and standard error.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::app {

/// Before anything else is opened: makes sure that file descriptors 0, 1 and 2 are taken, so that no file of ours gets
/// the number of a stream that the caller closed and is written to.
void prepare_standard_streams();

/// Writes all of `text`, unbuffered, and waits for a reader that is slow, also where the stream does not block
/// (O_NONBLOCK). A signal ends that wait, see OutputWait; a pipe then holds whole lines, as far as they fit into
/// PIPE_BUF. kReaderGone when there is no reader any more; with nothing to write it only finds that
/// out.
base::Result<void> write_stdout(std::string_view text);

/// The same for all that a command has to say: it does not matter how much of that the reader wanted, and the exit code
/// stays the command's own.
base::Result<void> print(std::string_view text);

/// As write_stdout(), for standard error. There is nobody to tell that it failed.
void write_stderr(std::string_view text);

/// How much of `text`, which is not empty, is written to a pipe at once: as many whole lines as the kernel takes all or
/// none of (PIPE_BUF, pipe(7)), or one line that is longer. Pure.
std::size_t piece_for_pipe(std::string_view text);

}  // namespace twtrace::app
