// SPDX-License-Identifier: Apache-2.0
// Finds the kernel's counters, and plans how the reader programs copy them with few calls.
#pragma once

#include <twtrace/abi.h>

#include <array>
#include <cstdint>

namespace twtrace::loader {

/// A counter's index in struct linux_mib or struct tcp_mib of the running kernel.
struct CounterPlace {
  bool tcp = false;
  std::uint32_t index = 0;  ///< 0: the kernel's BTF does not name it

  bool operator==(const CounterPlace&) const = default;
};

/// In the order of tw_kernel_counters.
using CounterPlaces = std::array<CounterPlace, TW_KERNEL_COUNTERS>;

/// The parts of the per-CPU arrays to copy, and the place of each counter in the copy.
struct MibPlan {
  std::array<tw_mib_span, TW_MIB_SPANS> spans{};
  std::array<std::uint32_t, TW_KERNEL_COUNTERS> places{};
};

/// Puts counters that are close to each other into one span, because copying a few more words costs less than another
/// call.
MibPlan plan_mib_spans(const CounterPlaces& counters);

}  // namespace twtrace::loader
