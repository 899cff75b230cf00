// SPDX-License-Identifier: Apache-2.0
#include "trace/slot_returns.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using trace::SlotReturns;
using Slots = std::vector<std::uint32_t>;

namespace {

constexpr std::uint64_t kNow = 1'000'000'000;
constexpr std::uint64_t kLater = kNow + SlotReturns::kGraceNs;
const SlotReturns::PassedSince kNoScan;

/// Slot 7 was unlinked at kNow, when three scans had begun.
SlotReturns unlinked() {
  SlotReturns returns;
  returns.look({7});
  returns.look({7});
  returns.unlinked(7, kNow, 3);
  return returns;
}

}  // namespace

TEST_CASE("a slot is unlinked when its namespace has been gone in two looks in a row") {
  SlotReturns returns;
  CHECK(returns.look({7, 9}).empty());
  CHECK(returns.look({9}) == Slots{9});
  CHECK(returns.look({7, 9}) == Slots{9});  // 9 could not be unlinked yet
  CHECK(returns.look({7}) == Slots{7});
  CHECK_FALSE(returns.any_unlinked());
}

TEST_CASE("an unlinked slot is not unlinked again") {
  SlotReturns returns = unlinked();
  CHECK(returns.is_unlinked(7));
  CHECK(returns.look({7}).empty());
  CHECK(returns.look({7}).empty());
}

TEST_CASE("an unlinked slot is given back once, after the grace period") {
  SlotReturns returns = unlinked();
  CHECK(returns.take_free({}, kLater - 1, kNoScan).empty());
  CHECK(returns.take_free({}, kLater, kNoScan) == Slots{7});
  CHECK_FALSE(returns.is_unlinked(7));
  CHECK(returns.take_free({}, kLater, kNoScan).empty());
}

TEST_CASE("a row keeps the slot of its namespace") {
  SlotReturns returns = unlinked();
  CHECK(returns.take_free({7}, kLater, kNoScan).empty());
  CHECK(returns.take_free({8}, kLater, kNoScan) == Slots{7});
}

TEST_CASE("where scans find out what is gone, a slot waits for two of them") {
  SlotReturns returns = unlinked();
  std::uint64_t passed = 1;
  const auto passed_since = [&passed](std::uint64_t begun) {
    CHECK(begun == 3);
    return passed;
  };
  CHECK(returns.take_free({}, kLater, passed_since).empty());
  passed = 2;
  CHECK(returns.take_free({}, kLater, passed_since) == Slots{7});
}

TEST_CASE("the next namespace in a slot that was given back goes the same way") {
  SlotReturns returns = unlinked();
  REQUIRE(returns.take_free({}, kLater, kNoScan) == Slots{7});
  CHECK(returns.look({7}).empty());
  CHECK(returns.look({7}) == Slots{7});
}
