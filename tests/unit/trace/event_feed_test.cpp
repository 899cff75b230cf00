// SPDX-License-Identifier: Apache-2.0
#include "trace/event_feed.hpp"

#include <map>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

tw_event record(std::uint64_t cookie, std::uint32_t row) {
  tw_event event{};
  event.time_ns = 5'000'000;
  event.cookie = cookie;
  event.local_address[0] = 127;
  event.remote_address[0] = 10;
  event.row = row;
  event.netns = 3;
  event.local_port = 40000;
  event.remote_port = 6379;
  event.kind = TW_EVENT_CREATED;
  event.family = TW_FAMILY_IPV4;
  event.substate = TW_SUBSTATE_TIME_WAIT;
  return event;
}

/// A trace with some rows, and a handler that collects events.
struct Trace {
  EventFeed feed{100};
  std::map<std::uint32_t, model::Identity> rows;
  std::vector<model::Event> events;

  EventFeed::Context context() {
    return {[this](std::uint32_t slot) -> std::optional<EventFeed::Owner> {
              const auto found = rows.find(slot);
              if (found == rows.end()) return std::nullopt;
              return EventFeed::Owner{slot + 1000U, found->second};
            },
            [](model::Event& event, std::uint32_t slot) { event.netns_id = 50 + slot; }};
  }
  void listen(std::size_t newest = SIZE_MAX) {
    feed.on_event([this](const model::Event& event) { events.push_back(event); }, newest);
  }
  void add_row(std::uint32_t slot, const std::string& comm) {
    model::Identity who;
    who.pid = 812;
    who.comm = comm;
    who.port = 6379;
    rows[slot] = who;
  }
  void drain(const std::vector<tw_event>& records) {
    feed.begin_drain(1000);
    for (const tw_event& raw : records) feed.take(raw, context());
    feed.end_drain(context());
  }
  std::vector<std::uint64_t> cookies() const {
    std::vector<std::uint64_t> result;
    for (const model::Event& event : events) result.push_back(event.cookie);
    return result;
  }
};

}  // namespace

TEST_CASE("an event has the owner of its row, its namespace and Unix time") {
  Trace trace;
  trace.listen();
  trace.add_row(9, "redis-worker");
  trace.drain({record(11, 9)});
  REQUIRE(trace.events.size() == 1);
  const model::Event& event = trace.events[0];
  REQUIRE(event.process);
  CHECK(event.process->comm == "redis-worker");
  CHECK(event.netns_id == 53U);
  CHECK(event.time_unix_ms == 1005);
  CHECK(event.cookie == 11);
}

TEST_CASE("an event whose row nobody knows comes without an owner") {
  Trace trace;
  trace.listen();
  trace.drain({record(11, TW_ROW_NONE)});
  REQUIRE(trace.events.size() == 1);
  CHECK_FALSE(trace.events[0].process);
  CHECK(trace.events[0].netns_id == 53U);
}

TEST_CASE("with a limit, each drain hands on the newest events in their order") {
  Trace trace;
  trace.listen(3);
  trace.drain({record(1, 0), record(2, 0)});
  CHECK(trace.cookies() == std::vector<std::uint64_t>{1, 2});
  trace.events.clear();
  trace.drain({record(3, 0), record(4, 0), record(5, 0), record(6, 0), record(7, 0)});
  CHECK(trace.cookies() == std::vector<std::uint64_t>{5, 6, 7});
  trace.events.clear();
  trace.drain({});
  CHECK(trace.events.empty());
}

TEST_CASE("a record with a number that abi.h does not define is ignored") {
  Trace trace;
  trace.listen();
  trace.feed.record_peers(true);
  tw_event broken = record(1, TW_MAX_ROWS);
  trace.drain({broken});
  broken = record(1, 0);
  broken.kind = 77;
  trace.drain({broken});
  CHECK(trace.events.empty());
  CHECK(trace.feed.peers().all().empty());
}

TEST_CASE("peers are counted only if somebody wants them, and only for known rows") {
  Trace trace;
  trace.add_row(9, "redis-worker");
  trace.drain({record(1, 9)});
  CHECK(trace.feed.peers().all().empty());
  trace.feed.set_before_start({{model::PeerKey{}, 5}});
  CHECK(trace.feed.peers().before_start().size() == 1);
  trace.feed.record_peers(true);
  trace.drain({record(2, 9), record(3, 9), record(4, 10)});
  REQUIRE(trace.feed.peers().all().size() == 1);
  const auto& [key, counts] = *trace.feed.peers().all().begin();
  CHECK(key.peer.address == "10.0.0.0");
  CHECK(counts.counts.time_wait == 2);
  CHECK(trace.events.empty());
}
