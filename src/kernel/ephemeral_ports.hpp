// SPDX-License-Identifier: Apache-2.0
// The ports that connect() may choose from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "kernel/sysctl.hpp"

namespace twtrace::kernel {

/// How many there are from `first` to `last` (ip_local_port_range) without `reserved` (ip_local_reserved_ports, as the
/// kernel prints it). Pure.
std::size_t count_ephemeral_ports(std::uint64_t first, std::uint64_t last, std::string_view reserved);
/// How many the calling thread's namespace has now.
base::Result<std::size_t> read_ephemeral_ports(const Sysctl& sysctl);

}  // namespace twtrace::kernel
