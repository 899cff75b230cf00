// SPDX-License-Identifier: Apache-2.0
// Counts the ephemeral ports in use, towards each destination.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "loader/readers.hpp"
#include "loader/table_sums.hpp"
#include "model/snapshot.hpp"
#include "trace/namespace_directory.hpp"
#include "trace/time_share.hpp"

namespace twtrace::trace {

/// Reads every table, one part per sample: some 20 ms of CPU time for 60,000 sockets. Counts may take 1% of one core.
/// After a count that found less than a tenth of the ports taken towards every destination, the next sample needs none
/// if it comes within 1.5 s. Not thread-safe.
class PortCount {
 public:
  using Uses = std::vector<model::PortUse>;

  /// `most`: how many destinations uses() has at most. `budget_ns`: CPU time of one sample that reading the tables may
  /// take, give or take a run of a reader program.
  PortCount(std::size_t most, std::uint64_t budget_ns) : most_(most), budget_ns_(budget_ns) {}

  /// Goes on with the count in progress, or begins one when it is time. The first count is not split. `last` completes
  /// the one in progress. If there is none, it begins one, unless counts would take more than their share. True if a
  /// count is complete. Errors as NamespaceReader::read(); then the next count comes as usual.
  base::Result<bool> advance(loader::Readers& readers, const NamespaceDirectory& directory, bool last);

  /// Of the last complete count, the destinations with the most ports taken, of all namespaces together, the fullest
  /// first. Those whose clients have used up more of a range of their own than is used up of the namespace's come
  /// before. Before all of these, the pools that are nearly full (PortUse::is_pool()). PortUse::netns_id is that of the
  /// directory, empty while that did not know the namespace. nullptr before the first count.
  const std::shared_ptr<const Uses>& uses() const { return uses_; }

 private:
  struct Running {
    std::unordered_map<std::uint64_t, tw_namespace_reading> namespaces;  ///< by id, when it began
    loader::PortTally tally;
  };

  bool is_due(bool last);
  base::Result<void> begin(loader::Readers& readers);
  base::Result<bool> count(loader::Readers& readers, const NamespaceDirectory& directory, bool last);
  base::Result<bool> read(loader::Readers& readers, const NamespaceDirectory& directory, bool whole);
  Uses sum_up(const NamespaceDirectory& directory) const;

  std::size_t most_;
  std::uint64_t budget_ns_;
  base::SystemClock clock_;
  TimeShare share_{100};
  bool rests_ = false;                                                              ///< in the next sample
  std::unique_ptr<loader::OwnRanges> own_ = std::make_unique<loader::OwnRanges>();  ///< the tally points to it
  std::optional<Running> running_;
  std::uint64_t cost_ns_ = 0;  ///< CPU time of the running one
  std::shared_ptr<const Uses> uses_;
};

}  // namespace twtrace::trace
