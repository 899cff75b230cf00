// SPDX-License-Identifier: Apache-2.0
// Hands the events of the ring to whoever wants them, with their owners.
#pragma once

#include <twtrace/abi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/peers.hpp"
#include "model/row_table.hpp"
#include "model/snapshot.hpp"

namespace twtrace::trace {

/// Turns records of the ring into events, and counts them per peer. Does neither unless somebody wants it. Not
/// thread-safe.
class EventFeed {
 public:
  using Handler = std::function<void(const model::Event&)>;

  /// A row of the kernel side, as an event needs it.
  struct Owner {
    std::uint64_t first_ns = 0;  ///< tw_row.first_ns
    const model::Identity& identity;
  };

  /// What events need from the rest of a trace.
  struct Context {
    /// The row in a row slot; empty if there is none.
    std::function<std::optional<Owner>(std::uint32_t row_slot)> owner;
    /// Puts the namespace of a namespace slot into an event.
    std::function<void(model::Event&, std::uint32_t netns_slot)> set_namespace;
  };

  /// `max_peers`: see model::PeerTable.
  explicit EventFeed(std::size_t max_peers) : peers_(max_peers) {}

  /// Events go to `handler` from now on, of each drain only the `newest`.
  void on_event(Handler handler, std::size_t newest);
  bool has_handler() const { return static_cast<bool>(handler_); }
  void record_peers(bool record) { record_peers_ = record; }
  const model::PeerTable& peers() const { return peers_; }
  /// Once per sample, after the drain before it.
  void begin_interval() { peers_.begin_interval(); }
  /// See model::PeerTable. Also while no peers are recorded: troubles tell how many there are towards a destination.
  void set_before_start(const model::PeerTable::Live& live) { peers_.set_before_start(live); }

  /// Starts a drain. `wall_offset_ms` turns CLOCK_BOOTTIME into Unix time.
  void begin_drain(std::int64_t wall_offset_ms) { wall_offset_ms_ = wall_offset_ms; }
  /// Takes a record of the ring. Ignores one that has numbers which abi.h does not define.
  void take(const tw_event& raw, const Context& context);
  /// Ends a drain: hands on the newest events, if there is a limit.
  void end_drain(const Context& context);

  /// Hands on an event that no record of the ring tells of, such as a bucket that a scan no longer found.
  void hand_on(model::Event event, std::uint32_t row_slot, std::uint32_t netns_slot, const Context& context);
  /// The same for an event without an owner, whose namespace the caller has set.
  void hand_on(const model::Event& event) { handler_(event); }

 private:
  void hand_on(const tw_event& record, const Context& context);

  Handler handler_;
  std::size_t limit_ = SIZE_MAX;
  std::vector<tw_event> newest_;  ///< of the running drain, if there is a limit: the last so many, in a ring
  std::size_t kept_ = 0;          ///< in the running drain, including those that later ones replaced
  std::int64_t wall_offset_ms_ = 0;
  bool record_peers_ = false;
  model::PeerTable peers_;
};

}  // namespace twtrace::trace
