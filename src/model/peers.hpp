// SPDX-License-Identifier: Apache-2.0
// Counts per remote end. They come from ring-buffer events, so some may be missing. The exact counts of the rows tell
// how many. What is missing is shown as a separate row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "model/row_table.hpp"
#include "model/snapshot.hpp"

namespace twtrace::model {

/// A remote end of the processes that `identity` merges. The identity is folded, so it has no pid.
struct PeerKey {
  Identity identity;
  Peer peer;
  auto operator<=>(const PeerKey&) const = default;
};

/// What one event says about its remote end. It has only numbers, because names cost too much for every event.
struct PeerRecord {
  std::array<std::uint8_t, 16> address{};  ///< network order; of an IPv4 address the first four bytes, the rest 0
  std::uint32_t row = 0;                   ///< row slot of the connection's owner
  std::uint16_t port = 0;
  bool ipv6 = false;
  Event::Kind kind = Event::Kind::kCreated;
  Event::Substate substate = Event::Substate::kTimeWait;
  Event::Reason reason = Event::Reason::kUnknown;  ///< removed and reset sent only
};

struct PeerCounts {
  Counters counts;
  Counters sampled;   ///< at the last sample
  Counters previous;  ///< at the sample before that; rates come from the difference
};

/// Counts per peer. Bounded: beyond `max_peers` it does not record new peers, which then count in the remainder.
/// Movable, but not copyable, because known peers point at their own counts. Not thread-safe.
class PeerTable {
 public:
  explicit PeerTable(std::size_t max_peers) : max_peers_(max_peers) {}
  PeerTable(PeerTable&&) noexcept = default;
  PeerTable& operator=(PeerTable&&) noexcept = default;
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;
  ~PeerTable() = default;

  /// Call this once per sample, after counting the events up to it. Events are counted throughout an interval, unlike
  /// rows, which are read at its end.
  void begin_interval();
  void count(const PeerKey& key, const Event& event);
  /// The same for a record of the row that was first seen at `first_ns` and belongs to `who`. A known peer costs two
  /// look-ups by number. Names are touched only for the first event of a row or a peer.
  void count(const PeerRecord& record, std::uint64_t first_ns, const Identity& who);
  const std::map<PeerKey, PeerCounts>& all() const { return peers_; }

  using Live = std::map<PeerKey, std::uint64_t>;
  /// Says how many buckets from before the start each remote end has now. One that was said before and is not said any
  /// more has none.
  void set_before_start(const Live& live);
  const Live& before_start() const { return before_start_; }

 private:
  /// A number for the processes of a row. Rows that fold into the same identity have the same number.
  struct Program {
    std::uint64_t first_ns = 0;
    std::uint32_t number = 0;  ///< 0: there are more than can be recorded
    bool is_client = false;
  };
  /// A peer as records describe it.
  struct RecordKey {
    std::array<std::uint64_t, 2> address{};
    std::uint32_t program = 0;
    std::uint16_t port = 0;
    std::uint16_t ipv6 = 0;
    bool operator==(const RecordKey&) const = default;
  };
  struct RecordHash {
    std::size_t operator()(const RecordKey& key) const;
  };

  const Program& program_of(std::uint32_t row, std::uint64_t first_ns, const Identity& who);
  PeerCounts* find_or_add(const PeerKey& key);

  std::size_t max_peers_;
  std::map<PeerKey, PeerCounts> peers_;
  Live before_start_;                                             ///< at most max_peers_, too
  std::map<Identity, std::uint32_t> numbers_;                     ///< at most max_peers_
  std::vector<Program> programs_;                                 ///< by row slot
  std::unordered_map<RecordKey, PeerCounts*, RecordHash> known_;  ///< values of peers_, which never move
};

}  // namespace twtrace::model
