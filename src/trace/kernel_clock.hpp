// SPDX-License-Identifier: Apache-2.0
// The clock by which the kernel side notes times, as this process sees it.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace twtrace::trace {

/// Turns times of the kernel's CLOCK_BOOTTIME into Unix time. In a time namespace, clock_gettime() gives this process
/// another CLOCK_BOOTTIME: the offset of a namespace is fixed before its first process runs (time_namespaces(7)).
/// Immutable: thread-safe.
class KernelClock {
 public:
  /// `kernel_boottime_ns`: the kernel's CLOCK_BOOTTIME, read just now.
  KernelClock(const base::Clock& clock, std::uint64_t kernel_boottime_ns);

  /// The kernel's CLOCK_BOOTTIME now.
  std::uint64_t boottime_ns(const base::Clock& clock) const;
  /// Unix time in ms less the kernel's CLOCK_BOOTTIME in ms, as of now.
  std::int64_t wall_offset_ms(const base::Clock& clock) const;

 private:
  std::int64_t ahead_ms_;  ///< of our CLOCK_BOOTTIME, by the kernel's
};

}  // namespace twtrace::trace
