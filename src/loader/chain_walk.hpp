// SPDX-License-Identifier: Apache-2.0
// Walks through the kernel's hash tables of sockets, one run at a time.
#pragma once

#include <netinet/tcp.h>
#include <twtrace/abi.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "loader/mapped_array.hpp"

namespace twtrace::loader {

class TableObject;

/// Statistics of the walks of a pass.
struct WalkSummary {
  std::uint64_t entries = 0;   ///< sockets read, some of them several times
  std::uint64_t restarts = 0;  ///< how often a chain changed so much that it was walked again
  std::uint64_t given_up = 0;  ///< chains that kept changing; sockets of them may be missing
};

/// True if both are of the same socket. The fields before `state` identify it.
inline bool same_socket(const tw_socket_reading& a, const tw_socket_reading& b) {
  return std::memcmp(&a, &b, offsetof(tw_socket_reading, state)) == 0;
}

/// An order that puts readings of the same socket next to each other, and a bucket before the socket that it replaces.
inline bool comes_before(const tw_socket_reading& a, const tw_socket_reading& b) {
  const int order = std::memcmp(&a, &b, offsetof(tw_socket_reading, state));
  return order < 0 || (order == 0 && a.state == TCP_TIME_WAIT && b.state != TCP_TIME_WAIT);
}

inline bool same_socket(const tw_listener_reading& a, const tw_listener_reading& b) { return a.socket == b.socket; }
inline bool comes_before(const tw_listener_reading& a, const tw_listener_reading& b) { return a.socket < b.socket; }

/// Passes on the readings of chains, each socket once. The walk may reach some sockets of a chain twice. It may also
/// reach both a bucket and the socket that it is replacing; then only the bucket is passed on. Reorders `readings`.
template <class Reading, class Handler>
void hand_on_chains(std::span<Reading> readings, const Handler& handler) {
  for (auto begin = readings.begin(); begin != readings.end();) {
    const auto end =
        std::find_if(begin, readings.end(), [&](const Reading& other) { return other.chain != begin->chain; });
    if (end - begin > 1) {
      std::sort(begin, end, [](const Reading& a, const Reading& b) { return comes_before(a, b); });
    }
    const Reading* last = nullptr;
    for (; begin != end; ++begin) {
      if (last == nullptr || !same_socket(*last, *begin)) handler(std::as_const(*begin));
      last = &*begin;
    }
  }
}

/// TableObject::continue_walk(), for those who do not see libbpf.
base::Result<void> continue_walk(TableObject& object, tw_walk& walk);

/// Walks through one table after another. Owns the readings of the chain in progress. Not thread-safe.
template <class Reading>
class ChainWalk {
 public:
  /// `object` must outlive the walk. A run leaves its readings in `filled`.
  ChainWalk(TableObject& object, MappedArray<Reading> filled) : object_(&object), filled_(std::move(filled)) {}

  /// Begins the walk through another table. See tw_walk for what must be set.
  void begin(const tw_walk& walk) {
    walk_ = walk;
    walk_.room = static_cast<__u32>(filled_.values().size());
    pending_.clear();
  }

  /// Does one run; true at the end of the table. Calls `handler` for each reading of complete chains.
  template <class Handler>
  base::Result<bool> run(const Handler& handler) {
    if (auto ran = continue_walk(*object_, walk_); !ran) return tl::unexpected(ran.error());
    pending_.resize(pending_.size() - std::min<std::size_t>(walk_.dropped, pending_.size()));
    const auto filled = filled_.values().first(std::min<std::size_t>(walk_.filled, filled_.values().size()));
    pending_.insert(pending_.end(), filled.begin(), filled.end());
    const std::size_t in_progress = walk_.done != 0 ? 0 : std::min<std::size_t>(walk_.kept, pending_.size());
    const std::size_t complete = pending_.size() - in_progress;
    hand_on_chains(std::span(pending_).first(complete), handler);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(complete));
    return walk_.done != 0;
  }

  /// Of this table.
  WalkSummary summary() const { return {walk_.entries, walk_.restarts, walk_.given_up}; }

 private:
  TableObject* object_;
  MappedArray<Reading> filled_;  ///< by the last run
  tw_walk walk_{};
  std::vector<Reading> pending_;  ///< of the chain in progress
};

}  // namespace twtrace::loader
