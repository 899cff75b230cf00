// SPDX-License-Identifier: Apache-2.0
// The possible CPUs of this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace twtrace::kernel {

/// Parses a list of CPUs as sysfs prints it ("0-3,8"), in ascending order. kInvalid when it is empty or malformed.
base::Result<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text);

/// Every CPU that could ever be switched on. The kernel keeps per-CPU counters for each of them, and per-CPU maps have
/// one value for each, in this order.
base::Result<std::vector<std::uint32_t>> possible_cpus(const std::filesystem::path& sysfs = "/sys");

}  // namespace twtrace::kernel
