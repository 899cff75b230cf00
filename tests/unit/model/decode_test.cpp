// SPDX-License-Identifier: Apache-2.0
#include "model/decode.hpp"

#include <cstring>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace::model;

namespace {

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

bool accepted(const tw_event& event) { return decode_record(std::as_bytes(std::span(&event, 1))).has_value(); }

template <class Change>
bool accepted_with(Change change) {
  tw_event event = record();
  change(event);
  return accepted(event);
}

}  // namespace

TEST_CASE("a record is copied out of memory of any alignment") {
  const tw_event expected = record();
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::vector<std::byte> bytes(sizeof(expected) + shift + 3);
    std::memcpy(bytes.data() + shift, &expected, sizeof(expected));
    const auto decoded = decode_record(std::span(bytes).subspan(shift));  // three bytes more than a record: ignored
    REQUIRE(decoded);
    CHECK(std::memcmp(&*decoded, &expected, sizeof(expected)) == 0);
  }
}

TEST_CASE("a record that is too short is none") {
  const tw_event event = record();
  const auto bytes = std::as_bytes(std::span(&event, 1));
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_record(bytes.first(size)));
  CHECK(decode_record(bytes));
}

TEST_CASE("a record with an unknown number is none") {
  for (const int kind : {TW_EVENT_CREATED, TW_EVENT_OVERFLOW, TW_EVENT_NO_MEMORY, TW_EVENT_REMOVED}) {
    CHECK(accepted_with([&](tw_event& event) { event.kind = static_cast<std::uint8_t>(kind); }));
  }
  CHECK_FALSE(accepted_with([](tw_event& event) { event.kind = 0; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.kind = TW_EVENT_REMOVED + 1; }));
  CHECK(accepted_with([](tw_event& event) { event.family = TW_FAMILY_IPV6; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.family = 5; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.reason = TW_REASON_PURGED + 1; }));
  CHECK(accepted_with([](tw_event& event) { event.row = TW_MAX_ROWS - 1; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.row = TW_MAX_ROWS; }));
  CHECK(accepted_with([](tw_event& event) { event.netns = TW_MAX_NETNS - 1; }));
  CHECK_FALSE(accepted_with([](tw_event& event) { event.netns = TW_MAX_NETNS; }));
}

TEST_CASE("addresses are printed as people write them") {
  std::uint8_t v4[16] = {192, 0, 2, 255, 0xff, 0xff};  // what follows the first four bytes means nothing
  CHECK(format_address(TW_FAMILY_IPV4, v4) == "192.0.2.255");
  const std::uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  CHECK(format_address(TW_FAMILY_IPV6, v6) == "2001:db8::1");
}

TEST_CASE("an event holds what its record says") {
  const Event event = to_event(record(), 1'000'000);
  CHECK(event.kind == Event::Kind::kRemoved);
  CHECK(event.time_unix_ms == 1'005'123);
  CHECK(event.cookie == 0x1f03);
  CHECK(event.local_address == "10.0.0.1");
  CHECK(event.local_port == 4242);
  CHECK(event.remote_address == "10.0.0.2");
  CHECK(event.remote_port == 6379);
  CHECK(event.substate == Event::Substate::kFinWait2);
  CHECK(event.reason == Event::Reason::kReused);
  CHECK(event.age_s == 1.5);
  CHECK_FALSE(event.process);
  CHECK(event.attribution == Attribution::kNone);
}

TEST_CASE("kinds, reasons and substates keep their meaning") {
  const auto kind_of = [](std::uint8_t kind) {
    tw_event event = record();
    event.kind = kind;
    return to_event(event, 0).kind;
  };
  CHECK(kind_of(TW_EVENT_CREATED) == Event::Kind::kCreated);
  CHECK(kind_of(TW_EVENT_OVERFLOW) == Event::Kind::kOverflow);
  CHECK(kind_of(TW_EVENT_NO_MEMORY) == Event::Kind::kNoMemory);
  CHECK(kind_of(TW_EVENT_REMOVED) == Event::Kind::kRemoved);
  const auto reason_of = [](std::uint8_t reason) {
    tw_event event = record();
    event.reason = reason;
    return to_event(event, 0).reason;
  };
  CHECK(reason_of(TW_REASON_UNKNOWN) == Event::Reason::kUnknown);
  CHECK(reason_of(TW_REASON_EXPIRED) == Event::Reason::kExpired);
  CHECK(reason_of(TW_REASON_REUSED) == Event::Reason::kReused);
  CHECK(reason_of(TW_REASON_RECYCLED) == Event::Reason::kRecycled);
  CHECK(reason_of(TW_REASON_PURGED) == Event::Reason::kPurged);
  tw_event event = record();
  event.substate = TW_SUBSTATE_TIME_WAIT;
  CHECK(to_event(event, 0).substate == Event::Substate::kTimeWait);
}

TEST_CASE("an age is shown only when it is known and the bucket is gone") {
  tw_event event = record();
  event.age_ds = 65535;
  CHECK_FALSE(to_event(event, 0).age_s);
  event.age_ds = 65534;
  CHECK(to_event(event, 0).age_s == 6553.4);
  event.kind = TW_EVENT_CREATED;
  CHECK_FALSE(to_event(event, 0).age_s);
}
