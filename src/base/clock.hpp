// SPDX-License-Identifier: Apache-2.0
// Clocks, injectable so that tests decide what time it is.
#pragma once

#include <chrono>
#include <cstdint>

namespace twtrace::base {

/// Source of time. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// CLOCK_MONOTONIC in nanoseconds: intervals and rates.
  virtual std::uint64_t monotonic_ns() const = 0;
  /// CLOCK_BOOTTIME in nanoseconds: what bpf_ktime_get_boot_ns and process start times use.
  virtual std::uint64_t boottime_ns() const = 0;
  /// Wall clock in milliseconds since the Unix epoch.
  virtual std::int64_t unix_ms() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() const override;
  std::uint64_t boottime_ns() const override;
  std::int64_t unix_ms() const override;
};

/// How long to wait until then, for poll(2): rounded up, so that waiting it out is long enough. 0: it has come.
std::chrono::milliseconds time_left(std::chrono::steady_clock::time_point end);

/// User and system time of this process, nanoseconds.
std::uint64_t process_cpu_ns();

}  // namespace twtrace::base
