// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <algorithm>
#include <ctime>

namespace twtrace::base {
namespace {

std::uint64_t read_ns(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

std::uint64_t SystemClock::monotonic_ns() const { return read_ns(CLOCK_MONOTONIC); }
std::uint64_t SystemClock::boottime_ns() const { return read_ns(CLOCK_BOOTTIME); }
std::int64_t SystemClock::unix_ms() const { return static_cast<std::int64_t>(read_ns(CLOCK_REALTIME) / 1'000'000U); }

std::chrono::milliseconds time_left(std::chrono::steady_clock::time_point end) {
  using std::chrono::milliseconds;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now()));
}

std::uint64_t process_cpu_ns() { return read_ns(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace twtrace::base
