// SPDX-License-Identifier: Apache-2.0
// What the verifier spends on a program: its limits are the kernel's, and its cost grows with our code.
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

/// In the verifier's own words and units; it differs between kernels.
struct VerifierCost {
  std::string program;
  std::uint64_t insns_processed = 0;  ///< over all paths; the kernel refuses a program above one million
  std::uint64_t peak_states = 0;
  std::uint64_t total_states = 0;
};

/// Finds the statistics line in what the verifier says at BPF_LOG_STATS; `program` is left empty. Nothing when there
/// is none.
std::optional<VerifierCost> parse_verifier_statistics(std::string_view log);

/// Calls `load`, which loads the object, and returns what the verifier spent on each of its programs, in the order of
/// the object. Errors of `load`; kInvalid when the kernel gives no statistics.
base::Result<std::vector<VerifierCost>> measure_load(bpf_object* object,
                                                     const std::function<base::Result<void>()>& load);

}  // namespace twtrace::test
