// SPDX-License-Identifier: Apache-2.0
// Measures what the verifier spends on a program. The kernel sets a limit, and our code spends it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct bpf_object;

namespace twtrace::test {

/// In the words and units of the verifier. The numbers differ between kernels.
struct VerifierCost {
  std::string program;
  std::uint64_t insns_processed = 0;  ///< over all paths; the kernel refuses a program above one million
  std::uint64_t peak_states = 0;
  std::uint64_t total_states = 0;
};

/// Parses the statistics in a verifier log of level BPF_LOG_STATS. Leaves `program` empty. Returns nothing if the log
/// has none.
std::optional<VerifierCost> parse_verifier_statistics(std::string_view log);

/// Calls `load`, which loads the object. Returns what the verifier spent on each program, in the order of the object.
/// Errors of `load`. kInvalid if the kernel gives no statistics.
base::Result<std::vector<VerifierCost>> measure_load(bpf_object* object,
                                                     const std::function<base::Result<void>()>& load);

}  // namespace twtrace::test
