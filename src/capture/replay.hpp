// SPDX-License-Identifier: Apache-2.0
// Private to capture: reads the samples of a file, one after another.
#pragma once

#include "base/result.hpp"
#include "capture/sqlite.hpp"
#include "capture/stored_netns.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// One pass over the samples: adds the increments up again.
base::Result<void> replay(const Database& database, const model::CaptureInfo& info, const StoredNetns& namespaces,
                          model::Wanted wanted, const model::SampleVisitor& visit);

}  // namespace twtrace::capture
