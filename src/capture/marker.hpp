// SPDX-License-Identifier: Apache-2.0
// Adds a mark to a capture that another process is writing.
#pragma once

#include <string>

#include "base/result.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// Waits, when the capture to this file has no sample yet, until it has its first one: only then is there a file.
/// kFailure when the capture has ended, or nobody writes it any more; otherwise as Reader::open.
base::Result<void> add_mark(const std::string& path, const model::Mark& mark);

}  // namespace twtrace::capture
