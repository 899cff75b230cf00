// SPDX-License-Identifier: Apache-2.0
// The order in which every sink shows namespaces.
#pragma once

#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::model {

/// Sorts by the share of the table in use, highest first, then by created. Stable.
void sort_fullest_first(std::vector<NetnsRow>& namespaces);

}  // namespace twtrace::model
