// SPDX-License-Identifier: Apache-2.0
// Walks through the kernel's hash tables of sockets, run by run.
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

struct bpf_program;

namespace twtrace::loader {

class ReaderObject;

/// What came of the walks of a pass.
struct WalkSummary {
  std::uint64_t entries = 0;   ///< sockets that were read, some of them several times
  std::uint64_t restarts = 0;  ///< chains that changed so much that they were walked again
  std::uint64_t given_up = 0;  ///< chains that did so time after time: something may be missing of them
};

/// Whether the two are of the same socket: what comes before `state` is nobody else's.
inline bool same_socket(const tw_socket_reading& a, const tw_socket_reading& b) {
  return std::memcmp(&a, &b, offsetof(tw_socket_reading, state)) == 0;
}

/// An order in which those of the same socket come one after another, a bucket before the socket that it replaces.
inline bool comes_before(const tw_socket_reading& a, const tw_socket_reading& b) {
  const int order = std::memcmp(&a, &b, offsetof(tw_socket_reading, state));
  return order < 0 || (order == 0 && a.state == TCP_TIME_WAIT && b.state != TCP_TIME_WAIT);
}

inline bool same_socket(const tw_listener_reading& a, const tw_listener_reading& b) { return a.socket == b.socket; }
inline bool comes_before(const tw_listener_reading& a, const tw_listener_reading& b) { return a.socket < b.socket; }

/// Hands on the readings of chains, each socket once: the walk may come to some of a chain twice, and to a bucket as
/// well as the socket that it is just replacing, of which only the bucket is handed on. Reorders `readings`.
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

/// One run of a program that goes on with a walk. Errors as ReaderObject::run().
base::Result<void> run_walk(ReaderObject& object, const bpf_program* program, tw_walk& walk);

/// A walk through one table after another. Owns what was read of the chain in progress. Not thread-safe.
template <class Reading>
class ChainWalk {
 public:
  /// `object` and `program` have to outlive the walk. `filled` is where the program leaves its readings.
  ChainWalk(ReaderObject& object, const bpf_program* program, MappedArray<Reading> filled)
      : object_(&object), program_(program), filled_(std::move(filled)) {}

  /// Begins the walk through another table; see tw_walk for what has to be set.
  void begin(const tw_walk& walk) {
    walk_ = walk;
    walk_.room = static_cast<__u32>(filled_.values().size());
    pending_.clear();
  }

  /// One run; true at the end of the table. Calls `handler` for each reading of the chains that are complete.
  template <class Handler>
  base::Result<bool> run(const Handler& handler) {
    if (auto ran = run_walk(*object_, program_, walk_); !ran) return tl::unexpected(ran.error());
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
  ReaderObject* object_;
  const bpf_program* program_;
  MappedArray<Reading> filled_;  ///< by the last run
  tw_walk walk_{};
  std::vector<Reading> pending_;  ///< of the chain in progress
};

}  // namespace twtrace::loader
