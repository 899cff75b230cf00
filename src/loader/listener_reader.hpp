// SPDX-License-Identifier: Apache-2.0
// Passes over the listening sockets.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/chain_walk.hpp"

namespace twtrace::loader {

/// Reads the listening sockets of every namespace. Those that listen from the beginning to the end of a pass are found
/// once. Not thread-safe.
class ListenerReader {
 public:
  /// `object` has to outlive the reader.
  static base::Result<ListenerReader> make(ReaderObject& object);

  /// Starts a pass over.
  void begin();
  /// Goes on with the pass for so much CPU time, give or take a run; true when it has come to its end. Errors as
  /// ReaderObject::run().
  base::Result<bool> advance(std::uint64_t budget_ns);
  /// A whole pass.
  base::Result<std::span<const tw_listener_reading>> read();

  /// In no particular order; complete after a pass. Valid until the next begin().
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
