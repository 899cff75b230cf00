// SPDX-License-Identifier: Apache-2.0
#include "model/peers.hpp"

#include <catch2/catch.hpp>

#include "entries.hpp"

using namespace twtrace::model;
using namespace twtrace::test;

namespace {

Event event(Event::Kind kind, Event::Substate substate = Event::Substate::kTimeWait,
            Event::Reason reason = Event::Reason::kUnknown) {
  Event event;
  event.kind = kind;
  event.substate = substate;
  event.reason = reason;
  return event;
}

PeerKey peer(const std::string& address) { return {folded(worker(1)), {address, std::uint16_t{6379}}}; }

}  // namespace

TEST_CASE("each event counts in its own field") {
  using Kind = Event::Kind;
  using Substate = Event::Substate;
  using Reason = Event::Reason;
  PeerTable peers(10);
  const auto counted = [&](const Event& what, const std::string& address) {
    peers.count(peer(address), what);
    return peers.all().at(peer(address)).counts;
  };
  CHECK(counted(event(Kind::kCreated, Substate::kTimeWait), "a") == Counters{1});
  CHECK(counted(event(Kind::kCreated, Substate::kFinWait2), "a") == Counters{1, 1});
  CHECK(counted(event(Kind::kOverflow, Substate::kTimeWait), "a") == Counters{1, 1, 1});
  CHECK(counted(event(Kind::kOverflow, Substate::kFinWait2), "a") == Counters{1, 1, 1, 1});
  CHECK(counted(event(Kind::kNoMemory), "a") == Counters{1, 1, 1, 1, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kExpired), "b") == Counters{0, 0, 0, 0, 0, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kReused), "b") == Counters{0, 0, 0, 0, 0, 1, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kRecycled), "b") ==
        Counters{0, 0, 0, 0, 0, 1, 1, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kPurged), "b") ==
        Counters{0, 0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(counted(event(Kind::kRemoved), "c") == Counters{});  // no reason, no field
}

TEST_CASE("peers beyond the bound are not recorded, known ones still count") {
  PeerTable peers(2);
  for (const char* address : {"a", "b", "c", "a", "c"}) peers.count(peer(address), event(Event::Kind::kCreated));
  REQUIRE(peers.all().size() == 2);
  CHECK(peers.all().at(peer("a")).counts == Counters{2});
  CHECK(peers.all().at(peer("b")).counts == Counters{1});
}

// Events are counted as they are drained, all through an interval; a sample ends it.
TEST_CASE("the interval of a peer is what was counted between two samples") {
  PeerTable peers(10);
  const auto count = [&](int events) {
    for (; events > 0; --events) peers.count(peer("a"), event(Event::Kind::kCreated));
  };
  const auto expect = [&](std::uint64_t counts, std::uint64_t previous) {
    CHECK(peers.all().at(peer("a")).counts == Counters{counts});
    CHECK(peers.all().at(peer("a")).previous == Counters{previous});
  };
  count(3);
  peers.begin_interval();
  expect(3, 0);
  count(4);
  peers.begin_interval();
  expect(7, 3);
  peers.begin_interval();
  expect(7, 7);
}
