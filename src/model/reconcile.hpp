// SPDX-License-Identifier: Apache-2.0
// The cross-check with the kernel's own counters.
#pragma once

#include <cstdint>
#include <optional>

namespace twtrace::model {

/// Compares one of our counts with the kernel's counter of the same thing, on a running system where the two cannot be
/// read at the same instant. Read the kernel's counter, then ours, then the kernel's again: at the instant of ours it
/// was between its two readings. Everything that this bracket proves missing is reported, and nothing else.
class Reconciler {
 public:
  /// What can be said at the last observation.
  struct CrossCheck {
    std::uint64_t kernel = 0;  ///< the kernel's count since start, at the instant ours was read: ours + missed
    std::uint64_t missed = 0;  ///< what the kernel counted and no program saw; falls only when late counts come in
    bool reconciled = true;    ///< nothing was missed, and we did not count more than the kernel
  };

  /// Before counting is switched on; the first value stands.
  void set_start(std::uint64_t kernel_counter);

  /// Right after counting was switched on, at some instant since set_start: what the kernel's counter can have been at
  /// that instant, if nothing was missed since. `ours_before` and `ours_after` are our count, read before and after the
  /// kernel's.
  void narrow_start(std::uint64_t ours_before, std::uint64_t kernel_counter, std::uint64_t ours_after);

  /// One observation, `before` and `after` are the kernel's counter.
  CrossCheck observe(std::uint64_t before, std::uint64_t ours, std::uint64_t after);

 private:
  std::optional<std::uint64_t> lowest_start_;
  std::uint64_t highest_start_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace twtrace::model
