// SPDX-License-Identifier: Apache-2.0
// Namespaces that are gone, of which a host with short-lived containers has thousands.
#pragma once

#include <cstddef>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::model {

/// How many namespaces that are gone a list has at most.
inline constexpr std::size_t kGoneListed = 64;

/// True if nothing was counted in it, neither by twtrace nor by the kernel.
bool nothing_counted(const NetnsRow& netns);

/// Which namespaces a list leaves out: those that are gone and in which nothing was counted, and of the other ones that
/// are gone all but kGoneListed: first those with refusals, then those with other harm, then those with a wrong count,
/// then those with most buckets. Totals are of all.
std::vector<bool> folded(const std::vector<const NetnsRow*>& namespaces);
std::vector<bool> folded(const std::vector<NetnsRow>& namespaces);

}  // namespace twtrace::model
