// SPDX-License-Identifier: Apache-2.0
// How often something may run that costs time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace twtrace::trace {

/// Lets something take at most one part in `parts` of one core, from its second run on. Not thread-safe.
class TimeShare {
 public:
  explicit constexpr TimeShare(std::uint64_t parts) : parts_(parts) {}

  /// Whether it may run now. `rest_ns`: it need not run before so much time has passed since its last run.
  constexpr bool is_due(std::uint64_t now_ns, std::uint64_t rest_ns = 0) const {
    return now_ns - ended_ns_ >= std::max(cost_ns_ * parts_, rest_ns);
  }
  /// It has run until now, and has cost this much CPU time.
  constexpr void ran(std::uint64_t now_ns, std::uint64_t cpu_ns) {
    ended_ns_ = now_ns;
    cost_ns_ = cpu_ns;
  }

 private:
  std::uint64_t parts_;
  std::uint64_t ended_ns_ = 0;
  std::uint64_t cost_ns_ = 0;
};

}  // namespace twtrace::trace
