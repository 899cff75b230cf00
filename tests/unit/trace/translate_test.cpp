// SPDX-License-Identifier: Apache-2.0
#include "trace/translate.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>
#include "support/catch.hpp"

using namespace twtrace;
using model::Event;

namespace {

/// Every field holds a value of its own.
tw_event record() {
  tw_event event{};
  event.time_ns = 5'123'456'789;
  event.cookie = 0x1f03;
  const std::uint8_t local[] = {10, 0, 0, 1};
  const std::uint8_t remote[] = {10, 0, 0, 2};
  std::memcpy(event.local_address, local, sizeof(local));
  std::memcpy(event.remote_address, remote, sizeof(remote));
  event.row = 17;
  event.local_port = 4242;
  event.remote_port = 6379;
  event.netns = 3;
  event.kind = TW_EVENT_REMOVED;
  event.family = TW_FAMILY_IPV4;
  event.substate = TW_SUBSTATE_FIN_WAIT2;
  event.reason = TW_REASON_REUSED;
  event.age_ds = 15;
  return event;
}

template <class Change>
tw_event record_with(Change change) {
  tw_event event = record();
  change(event);
  return event;
}

template <class Change>
bool accepted_with(Change change) {
  const tw_event event = record_with(change);
  return trace::decode_record(std::as_bytes(std::span(&event, 1))).has_value();
}

tw_row row() {
  tw_row result{};
  result.key.start_ns = 11;
  result.key.cgroup_id = 12;
  result.key.tgid = 812;
  result.key.exec_id = 13;
  result.key.uid = 33;
  result.key.netns = 3;
  result.key.port = 6379;
  result.key.role = TW_ROLE_SERVER;
  result.key.attribution = TW_ATTRIBUTION_CLOSER;
  result.key.family = TW_FAMILY_IPV6;
  result.key.matched = 1;
  std::memcpy(result.comm, "redis", 5);
  result.first_ns = 14;
  result.in_use = 1;
  return result;
}

const base::Service kService{"systemd", "redis.service", "/system.slice/redis.service", {}, {}};

}  // namespace

TEST_CASE("a record is copied out of memory of any alignment") {
  const tw_event expected = record();
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::vector<std::byte> bytes(sizeof(expected) + shift + 3);
    std::memcpy(bytes.data() + shift, &expected, sizeof(expected));
    const auto decoded = trace::decode_record(std::span(bytes).subspan(shift));  // three bytes too many are ignored
    REQUIRE(decoded);
    CHECK(std::memcmp(&*decoded, &expected, sizeof(expected)) == 0);
  }
}

TEST_CASE("a record that is too short is none") {
  const tw_event event = record();
  const auto bytes = std::as_bytes(std::span(&event, 1));
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(trace::decode_record(bytes.first(size)));
  CHECK(trace::decode_record(bytes));
}

TEST_CASE("a record is taken with the numbers of abi.h, and refused with any other") {
  const auto expect = [](std::uint8_t tw_event::*field, const std::vector<int>& known) {
    for (int number = 0; number < 256; ++number) {
      INFO("number " << number);
      const bool is_known = std::find(known.begin(), known.end(), number) != known.end();
      CHECK(accepted_with([&](tw_event& event) { event.*field = static_cast<std::uint8_t>(number); }) == is_known);
    }
  };
  expect(&tw_event::kind, {TW_EVENT_CREATED, TW_EVENT_OVERFLOW, TW_EVENT_NO_MEMORY, TW_EVENT_REMOVED, TW_EVENT_NO_PORT,
                           TW_EVENT_RESET_SENT, TW_EVENT_RESET_RECEIVED, TW_EVENT_RESET_FELT});
  expect(&tw_event::family, {TW_FAMILY_IPV4, TW_FAMILY_IPV6});
  expect(&tw_event::substate, {0, TW_SUBSTATE_FIN_WAIT2, TW_SUBSTATE_TIME_WAIT});  // 0: its making was not seen
  expect(&tw_event::reason,
         {TW_REASON_UNKNOWN, TW_REASON_EXPIRED, TW_REASON_REUSED, TW_REASON_RECYCLED, TW_REASON_PURGED});
  const auto reset = [](std::uint8_t reason) {
    return accepted_with([&](tw_event& event) {
      event.kind = TW_EVENT_RESET_SENT;
      event.reason = reason;
    });
  };
  CHECK(reset(TW_RESET_OTHER));
  CHECK(reset(TW_RESET_CLOSED_PORT));
  CHECK_FALSE(reset(TW_RESET_CLOSED_PORT + 1));
  CHECK(accepted_with([](tw_event& event) { event.row = TW_MAX_ROWS - 1; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.row = TW_MAX_ROWS; }));
  CHECK(accepted_with([](tw_event& event) { event.netns = TW_MAX_NETNS - 1; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.netns = TW_MAX_NETNS; }));
}

TEST_CASE("an event holds what its record says") {
  const Event event = trace::to_event(record(), 1'000'000);
  CHECK(event.kind == Event::Kind::kRemoved);
  CHECK(event.time_unix_ms == 1'005'123);
  CHECK(event.cookie == 0x1f03);
  CHECK(event.local_address == "10.0.0.1");
  CHECK(event.local_port == 4242);
  CHECK(event.remote_address == "10.0.0.2");
  CHECK(event.remote_port == 6379);
  CHECK_FALSE(event.ipv6);
  CHECK(event.substate == Event::Substate::kFinWait2);
  CHECK(event.reason == Event::Reason::kReused);
  CHECK(event.age_s == 1.5);
  CHECK_FALSE(event.process);
  CHECK(event.attribution == model::Attribution::kNone);
}

TEST_CASE("an event over IPv6 says so, and shows its addresses whole") {
  const tw_event ipv6 = record_with([](tw_event& event) {
    event.family = TW_FAMILY_IPV6;
    event.remote_address[15] = 7;
  });
  const Event event = trace::to_event(ipv6, 0);
  CHECK(event.ipv6);
  CHECK(event.local_address == "a00:1::");
  CHECK(event.remote_address == "a00:2::7");
}

TEST_CASE("kinds, reasons and substates keep their meaning") {
  const auto kind_of = [](std::uint8_t kind) {
    return trace::to_event(record_with([&](tw_event& event) { event.kind = kind; }), 0).kind;
  };
  CHECK(kind_of(TW_EVENT_CREATED) == Event::Kind::kCreated);
  CHECK(kind_of(TW_EVENT_OVERFLOW) == Event::Kind::kOverflow);
  CHECK(kind_of(TW_EVENT_NO_MEMORY) == Event::Kind::kNoMemory);
  CHECK(kind_of(TW_EVENT_REMOVED) == Event::Kind::kRemoved);
  CHECK(kind_of(TW_EVENT_NO_PORT) == Event::Kind::kNoPort);
  CHECK(kind_of(TW_EVENT_RESET_SENT) == Event::Kind::kResetSent);
  CHECK(kind_of(TW_EVENT_RESET_RECEIVED) == Event::Kind::kResetReceived);
  CHECK(kind_of(TW_EVENT_RESET_FELT) == Event::Kind::kResetFelt);
  const auto reset_reason_of = [](std::uint8_t reason) {
    const tw_event reset = record_with([&](tw_event& event) {
      event.kind = TW_EVENT_RESET_SENT;
      event.reason = reason;
    });
    CHECK(trace::to_peer_record(reset).reason == trace::to_event(reset, 0).reason);
    return trace::to_event(reset, 0).reason;
  };
  CHECK(reset_reason_of(TW_RESET_OTHER) == Event::Reason::kOther);
  CHECK(reset_reason_of(TW_RESET_AVOIDABLE) == Event::Reason::kAvoidable);
  CHECK(reset_reason_of(TW_RESET_REFUSED) == Event::Reason::kRefused);
  CHECK(reset_reason_of(TW_RESET_LATE) == Event::Reason::kLate);
  CHECK(reset_reason_of(TW_RESET_ABORTED) == Event::Reason::kAborted);
  CHECK(reset_reason_of(TW_RESET_CLOSED_PORT) == Event::Reason::kClosedPort);
  const auto reason_of = [](std::uint8_t reason) {
    return trace::to_event(record_with([&](tw_event& event) { event.reason = reason; }), 0).reason;
  };
  CHECK(reason_of(TW_REASON_UNKNOWN) == Event::Reason::kUnknown);
  CHECK(reason_of(TW_REASON_EXPIRED) == Event::Reason::kExpired);
  CHECK(reason_of(TW_REASON_REUSED) == Event::Reason::kReused);
  CHECK(reason_of(TW_REASON_RECYCLED) == Event::Reason::kRecycled);
  CHECK(reason_of(TW_REASON_PURGED) == Event::Reason::kPurged);
  const auto substate_of = [](std::uint8_t substate) {
    return trace::to_event(record_with([&](tw_event& event) { event.substate = substate; }), 0).substate;
  };
  CHECK(substate_of(TW_SUBSTATE_FIN_WAIT2) == Event::Substate::kFinWait2);
  CHECK(substate_of(TW_SUBSTATE_TIME_WAIT) == Event::Substate::kTimeWait);
  CHECK(substate_of(0) == Event::Substate::kTimeWait);
}

TEST_CASE("an age is shown only when it is known and the bucket is gone") {
  tw_event event = record();
  event.age_ds = 65535;
  CHECK_FALSE(trace::to_event(event, 0).age_s);
  event.age_ds = 65534;
  CHECK(trace::to_event(event, 0).age_s == 6553.4);
  event.kind = TW_EVENT_CREATED;
  CHECK_FALSE(trace::to_event(event, 0).age_s);
}

TEST_CASE("a bucket that a scan no longer found is removed, for an unknown reason") {
  loader::SweptBucket gone{};
  gone.key = 0x1f03;
  gone.bucket.created_ns = 2'000'000'000;
  gone.bucket.local_port = 4242;
  gone.bucket.remote_port = 6379;
  gone.bucket.substate = TW_SUBSTATE_FIN_WAIT2;
  const Event event = trace::to_event(gone, 1'000, 3'500'000'000);
  CHECK(event.kind == Event::Kind::kRemoved);
  CHECK(event.reason == Event::Reason::kUnknown);
  CHECK(event.time_unix_ms == 1'000);
  CHECK(event.cookie == 0x1f03);
  CHECK(event.local_port == 4242);
  CHECK(event.remote_port == 6379);
  CHECK(event.substate == Event::Substate::kFinWait2);
  CHECK(event.age_s == 1.5);
  CHECK(event.local_address.empty());
  CHECK(event.remote_address.empty());
}

TEST_CASE("of a swept bucket neither a kernel address nor the age of an older one is shown") {
  loader::SweptBucket gone{};
  gone.key = 0xffff888012345678;
  const Event event = trace::to_event(gone, 0, 3'500'000'000);
  CHECK(event.cookie == 0);
  CHECK_FALSE(event.age_s);
}

TEST_CASE("an identity holds what its row says") {
  const model::Identity who = trace::to_identity(row(), 29, kService);
  CHECK(who.netns == 29);
  CHECK(who.pid == 812U);
  CHECK(who.start_ns == 11);
  CHECK(who.comm == "redis");
  CHECK(who.uid == 33);
  CHECK(who.service == kService);
  CHECK(who.role == model::Role::kServer);
  CHECK(who.port == 6379);
  CHECK(who.attribution == model::Attribution::kCloser);
  CHECK(who.ipv6);
  CHECK(who.matched);
}

TEST_CASE("a row of a client that is known by its cgroup has no process") {
  tw_row other = row();
  other.key.role = TW_ROLE_CLIENT;
  other.key.attribution = TW_ATTRIBUTION_CGROUP;
  other.key.family = TW_FAMILY_IPV4;
  other.key.matched = 0;
  const model::Identity who = trace::to_identity(other, 29, kService);
  CHECK(who.role == model::Role::kClient);
  CHECK(who.attribution == model::Attribution::kCgroup);
  CHECK_FALSE(who.pid);
  CHECK(who.start_ns == 0);
  CHECK_FALSE(who.ipv6);
  CHECK_FALSE(who.matched);
}

TEST_CASE("a name that fills all of its room has no end mark") {
  tw_row full = row();
  std::memset(full.comm, 'x', sizeof(full.comm));
  CHECK(trace::to_identity(full, 29, {}).comm == std::string(TW_COMM_LEN, 'x'));
}

TEST_CASE("each count keeps its name") {
  const model::Counters counts =
      trace::to_counters({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  CHECK(counts.time_wait == 1);
  CHECK(counts.fin_wait2 == 2);
  CHECK(counts.overflow_time_wait == 3);
  CHECK(counts.overflow_fin_wait2 == 4);
  CHECK(counts.no_memory == 5);
  CHECK(counts.expired == 6);
  CHECK(counts.reused == 7);
  CHECK(counts.recycled == 8);
  CHECK(counts.purged == 9);
  CHECK(counts.no_port == 10);
  CHECK(counts.resets_received == 11);
  CHECK(counts.resets_felt == 12);
  CHECK(counts.peer_resets == 13);
  CHECK(counts.peer_resets_avoidable == 14);
  CHECK(counts.resets_late == 15);
  CHECK(counts.resets_aborted == 16);
  CHECK(counts.resets_closed_port == 17);
  CHECK(counts.resets_other == 18);
  CHECK(counts.queue_drops == 19);
  CHECK(counts.no_port_bind == 20);
}

TEST_CASE("each loss keeps its name") {
  const model::Losses lost = trace::to_losses({1, 2, 3, 4, 5, 6, 7, 8, 9, 11}, 10);
  CHECK(lost.events == 1);
  CHECK(lost.rows_full == 2);
  CHECK(lost.rows_busy == 3);
  CHECK(lost.netns_full == 4);
  CHECK(lost.sockets_full == 5);
  CHECK(lost.buckets_full == 6);
  CHECK(lost.cgroups_full == 7);
  CHECK(lost.listeners_full == 0);  // listening ports are not remembered any more
  CHECK(lost.pairs_lost == 8);
  CHECK(lost.refused_full == 11);
  CHECK(lost.recursion_misses == 10U);
  CHECK(lost.counts == 0);
  CHECK_FALSE(trace::to_losses({}, std::nullopt).recursion_misses);
}

TEST_CASE("a peer record holds the remote end and what happened") {
  const model::PeerRecord peer = trace::to_peer_record(record());
  CHECK(peer.row == 17);
  CHECK(peer.port == 6379);
  CHECK_FALSE(peer.ipv6);
  CHECK(peer.address == std::array<std::uint8_t, 16>{10, 0, 0, 2});
  CHECK(peer.kind == Event::Kind::kRemoved);
  CHECK(peer.substate == Event::Substate::kFinWait2);
  CHECK(peer.reason == Event::Reason::kReused);
}

TEST_CASE("of an IPv4 address only the first four bytes count, of an IPv6 address all") {
  const auto dirty = [](std::uint8_t family) {
    return trace::to_peer_record(record_with([&](tw_event& event) {
      event.family = family;
      event.remote_address[15] = 7;
    }));
  };
  CHECK(dirty(TW_FAMILY_IPV4).address == std::array<std::uint8_t, 16>{10, 0, 0, 2});
  CHECK(dirty(TW_FAMILY_IPV6).address == std::array<std::uint8_t, 16>{10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7});
  CHECK(dirty(TW_FAMILY_IPV6).ipv6);
}

TEST_CASE("the counters of a namespace are what its reading says") {
  tw_namespace_reading reading{};
  reading.count = 1;
  reading.limit = 2;
  reading.counters.tw = 3;
  reading.counters.tw_killed = 4;
  reading.counters.tw_recycled = 5;
  reading.counters.time_wait_overflow = 6;
  reading.counters.listen_overflows = 7;
  reading.counters.listen_drops = 8;
  reading.counters.out_rsts = 9;
  CHECK(trace::to_netns_counters(reading) == kernel::NetnsCounters{{3, 4, 5, 6, 7, 8}, 9, 1, 2});
  reading.first_port = 32768;
  reading.last_port = 60999;
  CHECK(trace::to_netns_counters(reading).local_ports == std::pair<std::uint16_t, std::uint16_t>(32768, 60999));
}

TEST_CASE("the settings of a namespace are what its reading says, in seconds where jiffies are known") {
  tw_namespace_reading reading{};
  reading.inum = 17;
  reading.limit = 1000;
  reading.table_mask = 0xffff;
  reading.settings = {15000, 2, 4096, 511, 28232, 1};
  const model::NetnsSettings settings = trace::to_settings(reading, 250);
  CHECK(settings.netns == 17);
  CHECK(settings.limit == 1000U);
  CHECK(settings.default_limit == 32768U);
  CHECK(settings.fin_timeout_s == 60U);
  CHECK(settings.tw_reuse == 2U);
  CHECK(settings.timestamps == 1U);
  CHECK(settings.syn_backlog == 4096U);
  CHECK(settings.somaxconn == 511U);
  CHECK(settings.ephemeral_ports == 28232U);
  CHECK_FALSE(trace::to_settings(reading, 0).fin_timeout_s);
  reading.settings.tw_reuse = TW_SETTING_UNKNOWN;
  CHECK_FALSE(trace::to_settings(reading, 250).tw_reuse);
}
