// SPDX-License-Identifier: Apache-2.0
#include "model/peers.hpp"

#include "support/catch.hpp"
#include "support/entries.hpp"

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
  CHECK(counted(event(Kind::kNoPort), "p").no_port == 1);
  CHECK(counted(event(Kind::kNoMemory), "a") == Counters{1, 1, 1, 1, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kExpired), "b") == Counters{0, 0, 0, 0, 0, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kReused), "b") == Counters{0, 0, 0, 0, 0, 1, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kRecycled), "b") ==
        Counters{0, 0, 0, 0, 0, 1, 1, 1});
  CHECK(counted(event(Kind::kRemoved, Substate::kTimeWait, Reason::kPurged), "b") ==
        Counters{0, 0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(counted(event(Kind::kRemoved), "c") == Counters{});  // no reason, no field
  CHECK(counted(event(Kind::kQueueDrop), "c") == Counters{});
  CHECK(counted(event(Kind::kResetReceived), "r").resets_felt == 0);
  CHECK(counted(event(Kind::kResetFelt), "r").resets_felt == 1);
  CHECK(counted(event(Kind::kResetFelt), "r").resets_received == 3);
  const auto sent = [&](Reason reason) { return counted(event(Kind::kResetSent, Substate::kTimeWait, reason), "s"); };
  CHECK(sent(Reason::kAvoidable).peer_resets_avoidable == 1);
  CHECK(sent(Reason::kRefused).peer_resets_avoidable == 1);
  CHECK(sent(Reason::kLate).resets_late == 1);
  CHECK(sent(Reason::kAborted).resets_aborted == 1);
  CHECK(sent(Reason::kClosedPort).resets_closed_port == 1);
  CHECK(sent(Reason::kOther).resets_other == 1);
  CHECK(peers.all().at(peer("s")).counts.peer_resets == 2);
  CHECK(peers.all().at(peer("s")).counts.resets_sent() == 6);
}

TEST_CASE("peers beyond the bound are not recorded, known ones still count") {
  PeerTable peers(2);
  for (const char* address : {"a", "b", "c", "a", "c"}) peers.count(peer(address), event(Event::Kind::kCreated));
  REQUIRE(peers.all().size() == 2);
  CHECK(peers.all().at(peer("a")).counts == Counters{2});
  CHECK(peers.all().at(peer("b")).counts == Counters{1});
}

// Events are counted as they are drained, throughout an interval. A sample ends the interval.
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

namespace {

PeerRecord record(std::uint32_t row, std::uint8_t last_byte, bool ipv6 = false) {
  PeerRecord record;
  record.row = row;
  record.ipv6 = ipv6;
  record.address[0] = 10;
  record.address[ipv6 ? 15 : 3] = last_byte;
  record.port = 6379;
  return record;
}

}  // namespace

TEST_CASE("records of the same program and peer count together, whatever row they come from") {
  PeerTable peers(10);
  peers.count(record(1, 7), 100, worker(1));
  peers.count(record(1, 7), 100, worker(1));
  peers.count(record(2, 7), 200, worker(2));  // another process of the same program
  peers.count(record(1, 8), 100, worker(1));
  peers.count(record(1, 7, true), 100, worker(1));
  REQUIRE(peers.all().size() == 3);
  CHECK(peers.all().at(peer("10.0.0.7")).counts == Counters{3});
  CHECK(peers.all().at(peer("10.0.0.8")).counts == Counters{1});
  CHECK(peers.all().at(peer("a00::7")).counts == Counters{1});
}

TEST_CASE("a row slot that is given again counts for its new owner") {
  PeerTable peers(10);
  Identity other = worker(2);
  other.comm = "other";
  peers.count(record(1, 7), 100, worker(1));
  peers.count(record(1, 7), 300, other);
  REQUIRE(peers.all().size() == 2);
  CHECK(peers.all().at({folded(other), {"10.0.0.7", std::uint16_t{6379}}}).counts == Counters{1});
}

TEST_CASE("a server's peer has no port, so its ephemeral ports count together") {
  PeerTable peers(10);
  Identity server = worker(1);
  server.role = Role::kServer;
  PeerRecord event = record(1, 7);
  for (std::uint16_t port = 40000; port < 40005; ++port) {
    event.port = port;
    peers.count(event, 100, server);
  }
  REQUIRE(peers.all().size() == 1);
  CHECK(peers.all().begin()->first.peer == Peer{"10.0.0.7", std::nullopt});
  CHECK(peers.all().begin()->second.counts == Counters{5});
}

TEST_CASE("records of peers, or of programs, beyond the bound are not counted, and known ones are") {
  PeerTable peers(2);
  Identity other = worker(1);
  for (const char* comm : {"a", "b", "c"}) {
    other.comm = comm;
    peers.count(record(1, 7), static_cast<std::uint64_t>(comm[0]), other);
  }
  peers.count(record(2, 9), 5, worker(1));
  other.comm = "a";
  peers.count(record(1, 7), 7, other);
  peers.count(record(1, 8), 7, other);
  REQUIRE(peers.all().size() == 2);
  CHECK(peers.all().at({folded(other), {"10.0.0.7", std::uint16_t{6379}}}).counts == Counters{2});
}
