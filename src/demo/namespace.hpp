// SPDX-License-Identifier: Apache-2.0
// The demo's own network namespace. Every function here changes only the process that calls it.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace twtrace::demo {

/// Moves the calling process into a new network namespace with a working loopback and `limit` as tcp_max_tw_buckets.
/// Before it writes anything, it makes sure that the namespace is neither the original one nor that of pid 1.
base::Result<void> enter_new_namespace(std::uint32_t limit);

/// Inode number of the network namespace of a process; "self" means the calling one.
base::Result<std::uint32_t> namespace_inode(const std::string& pid);

}  // namespace twtrace::demo
