// SPDX-License-Identifier: Apache-2.0
#include "trace/kernel_clock.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

struct FixedClock final : base::Clock {
  std::uint64_t boottime = 0;
  std::int64_t unix_time = 0;
  std::uint64_t monotonic_ns() const override { return boottime; }
  std::uint64_t boottime_ns() const override { return boottime; }
  std::int64_t unix_ms() const override { return unix_time; }
};

constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

TEST_CASE("without a time namespace, the time between two readings does not count") {
  FixedClock clock;
  clock.boottime = 100 * kSecond;
  clock.unix_time = 5'000'000;
  const KernelClock kernel(clock, 100 * kSecond - 400'000);
  CHECK(kernel.boottime_ns(clock) == 100 * kSecond);
  CHECK(kernel.wall_offset_ms(clock) == 5'000'000 - 100'000);
}

TEST_CASE("in a time namespace, the kernel's own time counts") {
  FixedClock clock;
  clock.boottime = 100 * kSecond;
  clock.unix_time = 5'000'000;
  SECTION("that is behind the kernel's") {
    const KernelClock kernel(clock, 1100 * kSecond);
    clock.boottime += kSecond;
    CHECK(kernel.boottime_ns(clock) == 1101 * kSecond);
    CHECK(kernel.wall_offset_ms(clock) == 5'000'000 - 1'101'000);
  }
  SECTION("that is ahead of it") {
    const KernelClock kernel(clock, 40 * kSecond);
    CHECK(kernel.boottime_ns(clock) == 40 * kSecond);
    CHECK(kernel.wall_offset_ms(clock) == 5'000'000 - 40'000);
  }
}
