// SPDX-License-Identifier: Apache-2.0
// Reads the tables of established connections, which include the buckets, in passes.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/chain_walk.hpp"

namespace twtrace::loader {

/// Reads every table: the kernel's, and the private ones of namespaces. Finds each entry that exists during a whole
/// pass exactly once, whatever comes and goes meanwhile. Not thread-safe.
class TableReader {
 public:
  using Handler = std::function<void(const tw_socket_reading&)>;

  /// `object` must outlive the reader.
  static base::Result<TableReader> make(TableObject& object);

  /// Starts a pass over. `namespaces`: a complete pass over them, which says where the tables are. `what`: of
  /// TW_READ_BUCKETS, TW_READ_PORTS and TW_READ_CREDIT, the last one only with a tracer, right after it has begun a
  /// scan: then each bucket is credited to its row (tw_row.scanned), connections that the tracer remembers are marked
  /// as alive, and TW_READ_BUCKETS stands for the buckets that it does not know.
  void begin(std::span<const tw_namespace_reading> namespaces, std::uint32_t what);
  /// Continues the pass for this much CPU time, give or take a run. True at the end of the pass. `handler` gets the
  /// requested readings, all of them by the end. Errors as TableObject::continue_walk().
  base::Result<bool> advance(std::uint64_t budget_ns, const Handler& handler);
  /// A whole pass.
  base::Result<WalkSummary> read(std::span<const tw_namespace_reading> namespaces, std::uint32_t what,
                                 const Handler& handler);

  /// Of the pass so far.
  WalkSummary summary() const;

 private:
  explicit TableReader(ChainWalk<tw_socket_reading> walk) : walk_(std::move(walk)) {}

  void next_table();

  ChainWalk<tw_socket_reading> walk_;
  std::vector<tw_walk> tables_;  ///< left to be walked through; the last one is in progress
  WalkSummary finished_;         ///< of the tables before
};

}  // namespace twtrace::loader
