// SPDX-License-Identifier: Apache-2.0
// Data goes to standard output, whole or with an error.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace twtrace::app {

/// Writes all of `text`, unbuffered. A reader that went away is an error, not a signal: see ignore_sigpipe.
base::Result<void> write_stdout(std::string_view text);

}  // namespace twtrace::app
