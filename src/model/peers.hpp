// SPDX-License-Identifier: Apache-2.0
// Counts per remote end. They come from ring-buffer events, so some may be missing; the rows' exact counts say how
// many, and what is missing is shown as a row of its own.
#pragma once

#include <cstddef>
#include <map>

#include "model/snapshot.hpp"
#include "model/table.hpp"

namespace twtrace::model {

/// A remote end of the processes that `identity` merges (folded: without pid).
struct PeerKey {
  Identity identity;
  Peer peer;
  auto operator<=>(const PeerKey&) const = default;
};

struct PeerCounts {
  Counters counts;
  Counters sampled;   ///< at the last sample
  Counters previous;  ///< at the sample before that: rates are of what lies between the two
};

/// Bounded: beyond `max_peers` new peers are not recorded and end up in the remainder. Not thread-safe.
class PeerTable {
 public:
  explicit PeerTable(std::size_t max_peers) : max_peers_(max_peers) {}

  /// Every sample calls this once, after the events up to it were counted. Events are counted all through an interval,
  /// unlike rows, which are read at its end.
  void begin_interval();
  void count(const PeerKey& key, const Event& event);
  const std::map<PeerKey, PeerCounts>& all() const { return peers_; }

 private:
  std::size_t max_peers_;
  std::map<PeerKey, PeerCounts> peers_;
};

}  // namespace twtrace::model
