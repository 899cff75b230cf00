// SPDX-License-Identifier: Apache-2.0
// What twtrace says about its own process.
#pragma once

#include "model/snapshot.hpp"
#include "output/openmetrics.hpp"

namespace twtrace::app {

/// The present numbers of this process; the memory is that of `head`. A number that cannot be read is 0.
output::ProcessMetrics own_process(const model::Snapshot& head);

}  // namespace twtrace::app
