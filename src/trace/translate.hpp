// SPDX-License-Identifier: Apache-2.0
// Turns what the BPF programs write (abi.h) into the words of the model. The only place that knows both. Pure: any
// bytes are safe, nothing is read but the arguments.
#pragma once

#include <twtrace/abi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "kernel/counters.hpp"
#include "loader/swept_bucket.hpp"
#include "model/counters.hpp"
#include "model/peers.hpp"
#include "model/recording.hpp"
#include "model/row_table.hpp"
#include "model/snapshot.hpp"

namespace twtrace::trace {

/// A record of the ring, copied out of memory of any alignment. Empty when it is too short, or when a number in it is
/// not one of abi.h: every function below takes a checked record.
std::optional<tw_event> decode_record(std::span<const std::byte> bytes);

/// Whether a record tells of a bind() that found no free local port. Nobody is at the other end yet.
bool is_of_bind(const tw_event& record);

/// A checked record without its owner, who is in the record's row (model::set_owner). `wall_offset_ms` turns
/// CLOCK_BOOTTIME into Unix time.
model::Event to_event(const tw_event& record, std::int64_t wall_offset_ms);

/// A bucket that a scan no longer found: it has been removed, and nobody saw why. Both times are of now:
/// `now_boottime_ns` is of CLOCK_BOOTTIME.
model::Event to_event(const loader::SweptBucket& gone, std::int64_t now_unix_ms, std::uint64_t now_boottime_ns);
/// The end of a bucket from before the start. When it was created is not known.
model::Event to_event(const tw_socket_reading& gone, std::int64_t now_unix_ms);

/// Who a published row stands for. `netns` is what its namespace is called (Identity::netns), `service` what its cgroup
/// id was resolved to.
model::Identity to_identity(const tw_row& row, std::uint32_t netns, base::Service service);

model::Counters to_counters(const tw_counts& counts);
kernel::NetnsCounters to_netns_counters(const tw_namespace_reading& reading);
/// A number of tw_settings, empty where the kernel has none.
std::optional<std::uint64_t> to_setting(std::uint32_t value);
/// `hertz`: jiffies in a second; 0: not known. The name is the caller's.
model::NetnsSettings to_settings(const tw_namespace_reading& reading, std::uint64_t hertz);

/// `recursion_misses`: see model::Losses.
model::Losses to_losses(const tw_stats& stats, std::optional<std::uint64_t> recursion_misses);

/// What a listening socket, or several of one row, dropped since the last look: `count` attempts. Its owner and its
/// namespace are the caller's.
model::Event to_drop_event(std::uint64_t count, std::int64_t now_unix_ms);

inline model::Event::Kind to_kind(std::uint8_t kind) {
  switch (kind) {
    case TW_EVENT_OVERFLOW:
      return model::Event::Kind::kOverflow;
    case TW_EVENT_NO_MEMORY:
      return model::Event::Kind::kNoMemory;
    case TW_EVENT_REMOVED:
      return model::Event::Kind::kRemoved;
    case TW_EVENT_NO_PORT:
      return model::Event::Kind::kNoPort;
    case TW_EVENT_RESET_SENT:
      return model::Event::Kind::kResetSent;
    case TW_EVENT_RESET_RECEIVED:
      return model::Event::Kind::kResetReceived;
    case TW_EVENT_RESET_FELT:
      return model::Event::Kind::kResetFelt;
    default:
      return model::Event::Kind::kCreated;
  }
}

/// A bucket whose removal was seen, but not its making, has none: it is taken for TIME_WAIT.
inline model::Event::Substate to_substate(std::uint8_t substate) {
  return substate == TW_SUBSTATE_FIN_WAIT2 ? model::Event::Substate::kFinWait2 : model::Event::Substate::kTimeWait;
}

/// Why a reset was sent.
inline model::Event::Reason to_reset_reason(std::uint8_t reason) {
  switch (reason) {
    case TW_RESET_AVOIDABLE:
      return model::Event::Reason::kAvoidable;
    case TW_RESET_REFUSED:
      return model::Event::Reason::kRefused;
    case TW_RESET_LATE:
      return model::Event::Reason::kLate;
    case TW_RESET_ABORTED:
      return model::Event::Reason::kAborted;
    case TW_RESET_CLOSED_PORT:
      return model::Event::Reason::kClosedPort;
    default:
      return model::Event::Reason::kOther;
  }
}

inline model::Event::Reason to_reason(std::uint8_t kind, std::uint8_t reason) {
  if (kind == TW_EVENT_RESET_SENT) return to_reset_reason(reason);
  if (kind != TW_EVENT_REMOVED) return model::Event::Reason::kUnknown;
  switch (reason) {
    case TW_REASON_EXPIRED:
      return model::Event::Reason::kExpired;
    case TW_REASON_REUSED:
      return model::Event::Reason::kReused;
    case TW_REASON_RECYCLED:
      return model::Event::Reason::kRecycled;
    case TW_REASON_PURGED:
      return model::Event::Reason::kPurged;
    default:
      return model::Event::Reason::kUnknown;
  }
}

/// What a checked record says of its remote end. Inline, because it runs for every event.
inline model::PeerRecord to_peer_record(const tw_event& record) {
  model::PeerRecord result;
  result.ipv6 = record.family == TW_FAMILY_IPV6;
  std::memcpy(result.address.data(), record.remote_address, sizeof(result.address));
  if (!result.ipv6) std::fill(result.address.begin() + 4, result.address.end(), std::uint8_t{0});
  result.port = record.remote_port;
  result.row = record.row;
  result.kind = to_kind(record.kind);
  result.substate = to_substate(record.substate);
  result.reason = to_reason(record.kind, record.reason);
  return result;
}

}  // namespace twtrace::trace
