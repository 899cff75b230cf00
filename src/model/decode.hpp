// SPDX-License-Identifier: Apache-2.0
// Bytes of the ring buffer to an event. Pure; any bytes are safe.
#pragma once

#include <twtrace/abi.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "model/snapshot.hpp"
#include "model/table.hpp"

namespace twtrace::model {

/// The record, copied out of memory of any alignment. Nothing when it is too short or a number in it is unknown.
std::optional<tw_event> decode_record(std::span<const std::byte> bytes);

/// "10.0.0.1" or "2001:db8::1", from network order; `family` is TW_FAMILY_*.
std::string format_address(std::uint8_t family, std::span<const std::uint8_t, 16> address);

/// What a checked record says of itself.
Event::Kind kind_of(const tw_event& record);
Event::Substate substate_of(const tw_event& record);
Event::Reason reason_of(const tw_event& record);

/// The parts of an Event that the record holds; who owns it is in its row. `wall_offset_ms` turns CLOCK_BOOTTIME into
/// Unix time.
Event to_event(const tw_event& record, std::int64_t wall_offset_ms);

/// The parts that the record's row holds.
void set_owner(Event& event, const Identity& who);

}  // namespace twtrace::model
