// SPDX-License-Identifier: Apache-2.0
// Finding a namespace among those of a snapshot.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::model {

/// Finds a namespace by NetnsRow::id and inode number; null if it is not among them. The inode number alone is not
/// enough: the kernel reuses inode numbers at once, so a namespace that is gone and a new one may have the same.
inline const NetnsRow* find_netns(const std::vector<NetnsRow>& namespaces, std::uint32_t id, std::uint32_t netns) {
  const auto found = std::find_if(namespaces.begin(), namespaces.end(),
                                  [=](const NetnsRow& row) { return row.id == id && row.netns == netns; });
  return found == namespaces.end() ? nullptr : &*found;
}

}  // namespace twtrace::model
