// SPDX-License-Identifier: Apache-2.0
// The fuzz targets: functions that must be safe for any bytes, all with the same signature. The smoke driver
// (smoke.cpp) and libFuzzer (libfuzzer_main.cpp) call the same functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twtrace::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// One fuzz target. `run` must return for any bytes. If a property is broken, require() ends the process.
struct Target {
  std::string_view name;
  void (*run)(Bytes);
  std::vector<std::string> seeds;  ///< valid inputs to mutate
  std::size_t iterations;          ///< of the smoke driver, which bounds work, not time
};

/// Every target, in the order of CMakeLists.txt.
const std::vector<Target>& targets();
/// nullptr if there is none of this name.
const Target* find_target(std::string_view name);

/// If the property does not hold, prints it and aborts. Both drivers then report the input.
void require(bool holds, const char* property);

inline std::string_view text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// No byte below blank but those in `allowed`, no DEL, and well-formed UTF-8.
void require_printable(std::string_view output, std::string_view allowed = {});

// One factory per file of targets/.
Target record_target();
Target netstat_target();
Target sockstat_target();
Target stat_target();
Target status_target();
Target cgroup_target();
Target mountinfo_target();
Target escape_target();
Target json_target();
Target csv_target();
Target table_target();
Target event_target();
Target budget_target();
Target capture_target();
Target accept_target();
Target listen_address_target();

}  // namespace twtrace::fuzz
