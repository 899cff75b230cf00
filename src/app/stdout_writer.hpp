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

/// Writes all of `text`, unbuffered. With nothing to write it only finds out whether the reader has gone.
base::Result<void> write_stdout(std::string_view text);

}  // namespace twtrace::app
