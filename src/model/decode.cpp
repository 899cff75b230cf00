// SPDX-License-Identifier: Apache-2.0
#include "model/decode.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>

namespace twtrace::model {
namespace {

constexpr std::uint16_t kAgeUnknown = 65535;

/// inet_ntop takes most of the time of an event, so the common case has a way of its own.
std::string format_ipv4(std::span<const std::uint8_t, 16> address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  char* end = text.data();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), address[i]).ptr;
  }
  return {text.data(), end};
}

}  // namespace

Event::Kind kind_of(const tw_event& record) {
  switch (record.kind) {
    case TW_EVENT_OVERFLOW:
      return Event::Kind::kOverflow;
    case TW_EVENT_NO_MEMORY:
      return Event::Kind::kNoMemory;
    case TW_EVENT_REMOVED:
      return Event::Kind::kRemoved;
    default:
      return Event::Kind::kCreated;
  }
}

Event::Substate substate_of(const tw_event& record) {
  return record.substate == TW_SUBSTATE_FIN_WAIT2 ? Event::Substate::kFinWait2 : Event::Substate::kTimeWait;
}

Event::Reason reason_of(const tw_event& record) {
  switch (record.reason) {
    case TW_REASON_EXPIRED:
      return Event::Reason::kExpired;
    case TW_REASON_REUSED:
      return Event::Reason::kReused;
    case TW_REASON_RECYCLED:
      return Event::Reason::kRecycled;
    case TW_REASON_PURGED:
      return Event::Reason::kPurged;
    default:
      return Event::Reason::kUnknown;
  }
}

std::optional<tw_event> decode_record(std::span<const std::byte> bytes) {
  tw_event record{};
  if (bytes.size() < sizeof(record)) return std::nullopt;
  std::memcpy(&record, bytes.data(), sizeof(record));
  if (record.kind < TW_EVENT_CREATED || record.kind > TW_EVENT_REMOVED) return std::nullopt;
  if (record.family != TW_FAMILY_IPV4 && record.family != TW_FAMILY_IPV6) return std::nullopt;
  if (record.reason > TW_REASON_PURGED || record.row >= TW_MAX_ROWS || record.netns >= TW_MAX_NETNS) {
    return std::nullopt;
  }
  return record;
}

std::string format_address(std::uint8_t family, std::span<const std::uint8_t, 16> address) {
  if (family != TW_FAMILY_IPV6) return format_ipv4(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const char* done = ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return done == nullptr ? std::string() : std::string(done);
}

Event to_event(const tw_event& record, std::int64_t wall_offset_ms) {
  Event event;
  event.kind = kind_of(record);
  event.time_unix_ms = static_cast<std::int64_t>(record.time_ns / 1'000'000U) + wall_offset_ms;
  event.cookie = record.cookie;
  event.local_address = format_address(record.family, record.local_address);
  event.local_port = record.local_port;
  event.remote_address = format_address(record.family, record.remote_address);
  event.remote_port = record.remote_port;
  event.ipv6 = record.family == TW_FAMILY_IPV6;
  event.substate = substate_of(record);
  event.reason = reason_of(record);
  if (event.kind == Event::Kind::kRemoved && record.age_ds != kAgeUnknown) event.age_s = record.age_ds / 10.0;
  return event;
}

void set_owner(Event& event, const Identity& who) {
  event.attribution = who.attribution;
  if (who.pid) event.process = ProcessId{who.pid, who.comm, who.uid, 1, false};
  event.service = who.service;
  event.uid = who.uid;
  event.role = who.role;
  event.port = who.port;
  event.ipv6 = who.ipv6;
}

}  // namespace twtrace::model
