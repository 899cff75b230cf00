// SPDX-License-Identifier: Apache-2.0
// Scans of the kernel's tables: which buckets are live where their end is not seen.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "loader/readers.hpp"
#include "loader/table_sums.hpp"
#include "loader/tracer.hpp"
#include "trace/before_start.hpp"
#include "trace/rows.hpp"

namespace twtrace::trace {

/// Scans the tables of all namespaces, one part per sample, and forgets what is gone. Scans may take 1% of one core.
/// Not thread-safe.
class TableScan final : public LiveScan {
 public:
  /// What a scan no longer found.
  struct Gone {
    std::vector<loader::SweptBucket> seen;  ///< the tracer saw them being created
    std::vector<tw_socket_reading> older;   ///< they were there before twtrace
  };
  using GoneHandler = std::function<void(const Gone&)>;

  /// `budget_ns`: CPU time that a scan may take of one sample, give or take a run of a reader program. `sweeps`: forget
  /// what is gone, where the programs do not see it.
  TableScan(std::uint64_t budget_ns, bool sweeps) : budget_ns_(budget_ns), sweeps_(sweeps) {}

  /// Goes on with the scan in progress, or begins one when it is time. A whole one starts over whatever is in progress,
  /// because its numbers are to be of now, and takes its time. What it no longer found is given to `gone`. `readers`
  /// credit buckets to the rows of `tracer`. The first scan comes right after counting was switched on.
  void advance(loader::Tracer& tracer, loader::Readers& readers, bool whole, const GoneHandler& gone);
  std::optional<std::uint64_t> live(std::uint32_t row_slot) const override;
  /// The buckets older than twtrace that it found, by namespace (tw_namespace_reading.id); one with none is not in it.
  const std::map<std::uint64_t, std::uint64_t>& older() const { return older_; }
  /// The same by role, port and remote end.
  const std::vector<loader::OlderBuckets>& older_rows() const { return older_rows_; }
  /// Who listened when the last scan began.
  const Listeners& listeners() const { return listeners_; }
  /// The row's slot is somebody else's now.
  void forget_row(std::uint32_t row_slot);

  /// CLOCK_MONOTONIC when the scan behind live() began; empty when there was none.
  std::optional<std::uint64_t> counted_ns() const { return counted_ns_; }

  std::uint64_t begun() const override { return completed_ + (running_ ? 1 : 0); }
  std::uint64_t passed_since(std::uint64_t begun) const override { return completed_ > begun ? completed_ - begun : 0; }

 private:
  struct Running {
    bool empty = false;    ///< no namespace had a bucket, and no socket waited for its end
    bool read = false;     ///< the tables have been read; what is left is the sweep
    bool counted = false;  ///< what was read is shown
    bool counts = true;    ///< it says what is gone: it was not begun over, and could read everything
    bool sweeps = false;
    std::uint64_t begun_ns = 0;  ///< CLOCK_MONOTONIC
    std::uint64_t cost_ns = 0;   ///< CPU time
  };
  enum class Step { kMore, kDone, kFailed };

  bool is_due() const;
  bool found_any() const;  ///< buckets, by the last scan
  Step begin(loader::Tracer& tracer, loader::Readers& readers);
  Step step(loader::Tracer& tracer, loader::Readers& readers, bool whole, const GoneHandler& gone);
  Step read(loader::Readers& readers, bool whole);
  void take_counts(loader::Tracer& tracer, bool complete, const GoneHandler& gone);
  bool sweep(loader::Tracer& tracer, loader::Pace pace, const GoneHandler& gone);
  bool maps_are_empty(loader::Tracer& tracer);
  void end(Step how);
  Step fail(const base::Error& error);

  base::SystemClock clock_;
  std::uint64_t budget_ns_;
  bool sweeps_;
  bool explained_ = false;  ///< why a scan failed
  std::optional<Running> running_;
  bool unfinished_ = false;  ///< the last one that was begun has failed
  loader::OlderTally tally_;
  Listeners listeners_;
  std::map<std::uint64_t, std::uint64_t> older_;
  std::vector<loader::OlderBuckets> older_rows_;
  std::vector<std::uint64_t> live_;          ///< by row slot
  std::optional<std::uint64_t> counted_ns_;  ///< CLOCK_MONOTONIC
  std::uint64_t completed_ = 0;              ///< with their sweeps
  std::uint64_t end_ns_ = 0;                 ///< CLOCK_MONOTONIC, of the last one; 0 when there was none
  std::uint64_t cost_ns_ = 0;                ///< CPU time of the last one
  std::uint64_t counted_buckets_ = 0;        ///< created and refused, at the last one
  std::uint64_t quiet_ = 0;                  ///< scans in a row at which nothing was there and nothing had happened
};

}  // namespace twtrace::trace
