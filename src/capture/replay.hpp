// SPDX-License-Identifier: Apache-2.0
// Private to capture: the samples of a file, one after the other.
#pragma once

#include "base/result.hpp"
#include "capture/sqlite.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// One pass over the samples: adds the increments up again. Needs memory for the keys of a sample, whatever the length
/// of the file.
base::Result<void> replay(const Database& database, const model::CaptureInfo& info, const model::SampleVisitor& visit);

/// The table holds a number, a word or an order that no twtrace has written.
base::Error malformed(const Database& database, const char* table);

}  // namespace twtrace::capture
