// SPDX-License-Identifier: Apache-2.0
// Snapshots on standard output, one after the other.
#pragma once

#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "model/snapshot.hpp"

namespace twtrace::app {

/// What comes before the first snapshot: the titles of CSV.
base::Result<void> begin_batch(const TableOptions& options);
/// One snapshot in the format that was asked for.
base::Result<void> write_batch(const model::Snapshot& snapshot, const TableOptions& options);

}  // namespace twtrace::app
