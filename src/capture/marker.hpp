// SPDX-License-Identifier: Apache-2.0
// Adds a mark to a capture that another process is writing.
#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "capture/writer.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// `alive` says whether the writing process still runs. kFailure when the capture has ended, or nobody writes it any
/// more; otherwise as Reader::open.
base::Result<void> add_mark(const std::string& path, const model::Mark& mark,
                            const std::function<bool(const WriterProcess&)>& alive);

}  // namespace twtrace::capture
