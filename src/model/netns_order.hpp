// SPDX-License-Identifier: Apache-2.0
// The order in which every sink shows namespaces.
#pragma once

#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::model {

/// The share of its table that is in use, highest first, then the most created; equal ones keep their order.
void sort_fullest_first(std::vector<NetnsRow>& namespaces);

}  // namespace twtrace::model
