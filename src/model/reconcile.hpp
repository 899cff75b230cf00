// SPDX-License-Identifier: Apache-2.0
// The cross-check with the kernel's own counters.
#pragma once

#include <cstdint>
#include <optional>

namespace twtrace::model {

/// Compares one of our counts with the kernel's counter of the same thing, on a running system, where the two cannot be
/// read at the same instant. Read the kernel's counter, then ours, then the kernel's again. When ours was read, the
/// kernel's was between its two readings. This class reports everything that these readings prove missing, and nothing
/// else.
class Reconciler {
 public:
  /// The result at the last observation.
  struct CrossCheck {
    std::uint64_t kernel = 0;  ///< the kernel's count since start, at the instant ours was read: ours + missed
    std::uint64_t missed = 0;  ///< counted by the kernel, seen by no program; decreases only when counts come late
    bool reconciled = true;    ///< nothing was missed, and we did not count more than the kernel
  };

  /// Call before counting is switched on. Only the first call counts.
  void set_start(std::uint64_t kernel_counter);

  /// Call right after counting was switched on. Derives what the kernel's counter can have been at the instant of the
  /// switch, if nothing was missed since. `ours_before` and `ours_after` are our count, read before and after the
  /// kernel's.
  void narrow_start(std::uint64_t ours_before, std::uint64_t kernel_counter, std::uint64_t ours_after);

  /// Adds one observation. `before` and `after` are the kernel's counter.
  CrossCheck observe(std::uint64_t before, std::uint64_t ours, std::uint64_t after);

 private:
  std::optional<std::uint64_t> lowest_start_;
  std::uint64_t highest_start_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace twtrace::model
