// SPDX-License-Identifier: Apache-2.0
#include "trace/kernel_clock.hpp"

namespace twtrace::trace {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

std::int64_t rounded_ms(std::int64_t ns) {
  return (ns + (ns < 0 ? -kMillisecond / 2 : kMillisecond / 2)) / kMillisecond;
}

}  // namespace

/// Rounds to a millisecond, because time passes between the two readings.
KernelClock::KernelClock(const base::Clock& clock, std::uint64_t kernel_boottime_ns)
    : ahead_ms_(rounded_ms(static_cast<std::int64_t>(kernel_boottime_ns - clock.boottime_ns()))) {}

std::uint64_t KernelClock::boottime_ns(const base::Clock& clock) const {
  return clock.boottime_ns() + static_cast<std::uint64_t>(ahead_ms_ * kMillisecond);
}

std::int64_t KernelClock::wall_offset_ms(const base::Clock& clock) const {
  return clock.unix_ms() - static_cast<std::int64_t>(boottime_ns(clock)) / kMillisecond;
}

}  // namespace twtrace::trace
