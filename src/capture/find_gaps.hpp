// SPDX-License-Identifier: Apache-2.0
// Private to capture: the gaps of a file, before its samples are read.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "capture/sqlite.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// Goes through the samples' times and what namespaces could be read. Where a row holds what cannot be it stops:
/// reading the samples stops there, too, and says why.
base::Result<std::vector<model::Gap>> find_gaps(const Database& database, const model::CaptureInfo& info);

}  // namespace twtrace::capture
