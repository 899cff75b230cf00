// SPDX-License-Identifier: Apache-2.0
// One namespace through the samples of a history.
#pragma once

#include <cstdint>
#include <vector>

#include "model/forecast.hpp"
#include "model/history.hpp"

namespace twtrace::model {

/// The kept samples up to `sample`, oldest first, of the namespace of this row; those that it was not in, or in which
/// its gauge was not known, are left out. Ages are counted from `sample`. What the kernel counted and no program saw is
/// part of `created`.
std::vector<TablePoint> trend(const History& history, std::uint64_t sample, const NetnsRow& netns);

}  // namespace twtrace::model
