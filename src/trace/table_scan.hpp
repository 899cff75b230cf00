// SPDX-License-Identifier: Apache-2.0
// Scans of the kernel's table: which buckets are live where their end is not seen.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "loader/tracer.hpp"
#include "trace/namespaces.hpp"

namespace twtrace::trace {

/// Goes through the sockets of every namespace that holds any, a part in each sample, and forgets what is gone. A scan
/// may take 1% of one core. Not thread-safe.
class TableScan {
 public:
  using GoneHandler = std::function<void(const std::vector<tw_swept_bucket>&)>;

  /// `budget_ns`: CPU time that a scan may take of one sample, give or take a slice.
  explicit TableScan(std::uint64_t budget_ns) : budget_ns_(budget_ns) {}

  /// Goes on with the scan in progress, or begins one when it is time. A whole one starts over whatever is in progress,
  /// because its numbers are to be of now, and takes its time. What it no longer found is given to `gone`.
  void advance(loader::Tracer& tracer, Namespaces& netns, bool whole, const GoneHandler& gone);

  /// The buckets of a row that the last scan found when it had been everywhere; empty when there was none yet, or when
  /// it could not enter the row's namespace.
  std::optional<std::uint64_t> live(std::uint32_t row_slot, std::uint32_t netns_slot, const Namespaces& netns) const;
  /// The row's slot is somebody else's now.
  void forget_row(std::uint32_t row_slot);

  /// CLOCK_MONOTONIC when the scan behind live() began; empty when there was none.
  std::optional<std::uint64_t> counted_ns() const { return counted_ns_; }

  /// How many scans have begun so far; passed_since() takes it.
  std::uint64_t begun() const { return completed_ + (running_ ? 1 : 0); }
  /// How many scans, with their sweeps, have begun and ended since begun() said this.
  std::uint64_t passed_since(std::uint64_t begun) const { return completed_ > begun ? completed_ - begun : 0; }

 private:
  struct Running {
    std::vector<std::uint32_t> namespaces;  ///< slots to go to
    std::size_t next = 0;
    bool counted = false;  ///< every namespace has been walked through; what is left is the sweep
    bool sweeps = false;
    std::uint64_t begun_ns = 0;  ///< CLOCK_MONOTONIC
    std::uint64_t cost_ns = 0;   ///< CPU time
  };
  enum class Step { kMore, kDone, kFailed };

  bool is_due() const;
  void begin(loader::Tracer& tracer, Namespaces& netns);
  Step step(loader::Tracer& tracer, Namespaces& netns, loader::Pace pace, const GoneHandler& gone);
  Step walk_namespace(loader::Tracer& tracer, Namespaces& netns, loader::Pace pace);
  void take_counts(loader::Tracer& tracer, Namespaces& netns);
  bool sweep(loader::Tracer& tracer, const Namespaces& netns, loader::Pace pace, const GoneHandler& gone);
  bool maps_are_empty(loader::Tracer& tracer);
  void end(Step how);
  void explain(const base::Error& error, const loader::Tracer& tracer);

  base::SystemClock clock_;
  std::uint64_t budget_ns_;
  bool works_ = true;       ///< false: this kernel cannot iterate over sockets
  bool explained_ = false;  ///< why a scan failed
  std::optional<Running> running_;
  bool unfinished_ = false;                  ///< the last one that was begun has failed
  std::vector<std::uint64_t> live_;          ///< by row slot
  std::optional<std::uint64_t> counted_ns_;  ///< CLOCK_MONOTONIC
  std::uint64_t completed_ = 0;              ///< with their sweeps
  std::uint64_t end_ns_ = 0;                 ///< CLOCK_MONOTONIC, of the last one; 0 when there was none
  std::uint64_t cost_ns_ = 0;                ///< CPU time of the last one
  std::uint64_t counted_buckets_ = 0;        ///< created and refused, at the last one
  std::uint64_t quiet_ = 0;                  ///< scans in a row at which nothing was there and nothing had happened
};

}  // namespace twtrace::trace
