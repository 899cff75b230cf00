// SPDX-License-Identifier: Apache-2.0
// Adds a mark to a capture that another process is writing.
#pragma once

#include <string>

#include "base/result.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// If the capture to this file has no sample yet, waits for the first one, because the file does not exist before.
/// kUsage if the name is longer than a file can hold. kFailure if the capture has ended, is no longer written, or has
/// no room for another mark; otherwise as Reader::open.
base::Result<void> add_mark(const std::string& path, const model::Mark& mark);

}  // namespace twtrace::capture
