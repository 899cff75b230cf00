// SPDX-License-Identifier: Apache-2.0
#include "model/decode.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace twtrace::model {
namespace {

Event::Kind kind_of(std::uint8_t kind) {
  switch (kind) {
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

Event::Reason reason_of(std::uint8_t reason) {
  switch (reason) {
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

constexpr std::uint16_t kAgeUnknown = 65535;

}  // namespace

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
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int af = family == TW_FAMILY_IPV6 ? AF_INET6 : AF_INET;
  return ::inet_ntop(af, address.data(), text.data(), text.size()) == nullptr ? std::string()
                                                                              : std::string(text.data());
}

Event to_event(const tw_event& record, std::int64_t wall_offset_ms) {
  Event event;
  event.kind = kind_of(record.kind);
  event.time_unix_ms = static_cast<std::int64_t>(record.time_ns / 1'000'000U) + wall_offset_ms;
  event.cookie = record.cookie;
  event.local_address = format_address(record.family, record.local_address);
  event.local_port = record.local_port;
  event.remote_address = format_address(record.family, record.remote_address);
  event.remote_port = record.remote_port;
  event.substate = record.substate == TW_SUBSTATE_FIN_WAIT2 ? Event::Substate::kFinWait2 : Event::Substate::kTimeWait;
  event.reason = reason_of(record.reason);
  if (event.kind == Event::Kind::kRemoved && record.age_ds != kAgeUnknown) event.age_s = record.age_ds / 10.0;
  return event;
}

}  // namespace twtrace::model
