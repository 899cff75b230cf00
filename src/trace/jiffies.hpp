// SPDX-License-Identifier: Apache-2.0
// Finds out how long a jiffy is. The kernel keeps some settings in jiffies, but does not say how long they are.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <span>

namespace twtrace::trace {

/// By our own namespace, where /proc says how many seconds tcp_fin_timeout is; 0: not known. `pass` was read with the
/// settings.
std::uint64_t jiffies_per_second(std::span<const tw_namespace_reading> pass, std::uint32_t own_inum);

}  // namespace twtrace::trace
