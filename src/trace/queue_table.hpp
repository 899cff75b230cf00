// SPDX-License-Identifier: Apache-2.0
// The queues that dropped connection attempts.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/row_table.hpp"
#include "model/snapshot.hpp"
#include "trace/namespace_directory.hpp"

namespace twtrace::trace {

/// Listening sockets of one program on one port are one queue. Keeps those that somebody listens on, and
/// model::kMostQueues others, so that it does not grow with every program that ever dropped something. Pure. Not
/// thread-safe.
class QueueTable {
 public:
  /// A socket of this owner dropped something. Its process does not matter.
  void count(model::Identity owner, std::uint64_t drops);
  /// How full the socket of this owner is. Does nothing unless one of its sockets has dropped something.
  void see(model::Identity owner, const model::Use& queue, const std::optional<tw_settings>& settings);
  /// All sockets have been seen. A queue without one is empty.
  void end_look();
  /// Rates are of what was dropped between the last two calls.
  void end_interval();
  /// See model::Snapshot. Leaves out those of namespaces that the directory has forgotten.
  std::vector<model::ListenQueue> queues(const NamespaceDirectory& directory, double interval_s) const;

 private:
  struct Queue {
    std::uint64_t drops = 0;
    std::uint64_t sampled = 0;   ///< at the last end_interval()
    std::uint64_t previous = 0;  ///< at the one before
    bool seen = false;           ///< since the last end_look()
    model::Use fullest;
    std::optional<tw_settings> settings;
  };

  void forget_gone();

  std::map<model::Identity, Queue> queues_;  ///< by the identity without its process
};

}  // namespace twtrace::trace
