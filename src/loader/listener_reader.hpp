// SPDX-License-Identifier: Apache-2.0
// Reads all listening sockets in passes.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/chain_walk.hpp"

namespace twtrace::loader {

/// Which listening sockets a pass hands on.
enum class WhichListeners {
  kAll,
  kDropping,  ///< those that have dropped something since they listen: few, and reading the others costs less
};

/// Reads the listening sockets of every namespace. Finds each socket that listens during a whole pass exactly once. Not
/// thread-safe.
class ListenerReader {
 public:
  /// `object` must outlive the reader.
  static base::Result<ListenerReader> make(TableObject& object);

  /// Restarts the pass.
  void begin(WhichListeners which);
  /// Continues the pass for this much CPU time, give or take a run. True at the end of the pass. Errors as
  /// TableObject::continue_walk().
  base::Result<bool> advance(std::uint64_t budget_ns);
  /// A whole pass.
  base::Result<std::span<const tw_listener_reading>> read(WhichListeners which = WhichListeners::kAll);

  /// The listeners that were asked for, in no particular order. Complete after a pass. Valid until the next begin().
  std::span<const tw_listener_reading> readings() const { return readings_; }
  /// Of the pass so far.
  WalkSummary summary() const { return walk_.summary(); }

 private:
  explicit ListenerReader(ChainWalk<tw_listener_reading> walk) : walk_(std::move(walk)) {}

  ChainWalk<tw_listener_reading> walk_;
  std::vector<tw_listener_reading> readings_;
  bool done_ = true;
};

}  // namespace twtrace::loader
