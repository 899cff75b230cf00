// SPDX-License-Identifier: Apache-2.0
// Private to capture: the gaps of a file, before its samples are read.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "capture/sqlite.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// Goes through the times of the samples and through which namespaces could be read. Stops at an invalid row. Reading
/// the samples also stops there and says why.
base::Result<std::vector<model::Gap>> find_gaps(const Database& database, const model::CaptureInfo& info);

}  // namespace twtrace::capture
