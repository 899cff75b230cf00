// SPDX-License-Identifier: Apache-2.0
// One network namespace: our counts beside the kernel's.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/counters.hpp"
#include "model/counters.hpp"
#include "model/reconcile.hpp"
#include "model/snapshot.hpp"

namespace twtrace::trace {

/// What the programs say of a namespace at one moment.
struct OurCounts {
  model::Counters total;             ///< everything, as the namespace's slot counts it
  model::Counters counts;            ///< everything, as its rows and `unattributed` count it
  model::Counters unattributed;      ///< the part that no row took
  std::uint32_t limit_seen = 0;      ///< the limit at the last event; 0 before the first
  std::uint32_t buckets_seen = 0;    ///< buckets at the last event
  std::uint64_t older_buckets = 0;   ///< older than twtrace, found by the last scan
  bool older_buckets_known = false;  ///< that scan has been everywhere, and the namespace can be scanned
  model::Sight sees;                 ///< what the programs see
  bool complete = true;              ///< false: some may be counted in the slot for what found none
};

/// Compares our counts with the kernel's. Knows the kernel's counters when counting began, and takes each of our counts
/// between two readings of them. Pure. Not thread-safe.
class NamespaceLedger {
 public:
  using Reading = kernel::NetnsCounters;

  /// `counts_at_creation`: TW and TWKilled count when a bucket is made (Features::counts_at_creation).
  explicit NamespaceLedger(bool counts_at_creation) : counts_at_creation_(counts_at_creation) {}

  /// A namespace that is older than counting: read before counting was switched on. Without any start nothing can be
  /// compared.
  void start_at(const Reading& reading);
  /// A namespace that is younger: its counters began at 0, which is a reading before ours, too.
  void start_at_zero();
  /// Read right after counting was switched on. `ours_before` and `ours_after` are the total before and after
  /// `reading`.
  void narrow_start(const model::Counters& ours_before, const Reading& reading, const model::Counters& ours_after);

  /// True if a counter is below the last reading. Counters only grow, so it belongs to another namespace.
  bool is_of_another(const Reading& reading) const;

  /// The kernel's counters before ours are read. Empty: there is no reading.
  void take_before(const std::optional<Reading>& reading);
  /// The last reading after ours stands for the one before: ours have not moved since.
  void carry_over() { before_ = after_; }
  /// The kernel's counters after ours were read; `total` is ours. Empty: there is no reading any more.
  void take_after(const std::optional<Reading>& reading, const model::Counters& total);
  /// Compares ours with the two readings around it.
  void observe(const OurCounts& ours);

  /// A slot of the namespace is given back: what it counted stays part of ours from here on.
  void keep(const model::Counters& total, const model::Counters& unattributed);
  /// What was kept.
  const model::Counters& kept_total() const { return kept_total_; }
  const model::Counters& kept_unattributed() const { return kept_unattributed_; }
  /// Takes over ours of a namespace that is forgotten, whose rows become those of this one.
  void take_over(const NamespaceLedger& forgotten);

  bool was_read() const { return after_.has_value(); }
  /// `total` was the same at the last reading after ours.
  bool is_read_at(const model::Counters& total) const { return after_ && total_when_read_ == total; }
  const OurCounts& ours() const { return ours_; }

  /// The numbers of a row; its identity is the caller's.
  model::NetnsRow row(double interval_s) const;
  /// Part of ours at the observation before the last one.
  const model::Counters& previously_unattributed() const { return previously_unattributed_; }

 private:
  void compare_counters();
  void compare_gauge();
  void fill_kernel(model::NetnsRow& row) const;
  bool is_comparable() const { return start_ && before_ && after_ && current_ && ours_.complete; }

  bool counts_at_creation_;
  std::optional<kernel::TcpExt> start_;
  std::int64_t start_in_use_ = 0;  ///< when our counts were 0
  kernel::TcpExt last_;            ///< reading
  std::optional<Reading> before_;
  std::optional<Reading> after_;
  model::Counters total_when_read_;  ///< just before the last reading after
  bool current_ = true;              ///< ours have not moved since that reading
  OurCounts ours_;
  model::Counters previous_;  ///< counts at the observation before
  model::Counters previously_unattributed_;
  model::Reconciler created_;
  model::Reconciler overflow_;
  model::Reconciler resets_sent_;
  model::Reconciler queue_drops_;
  std::optional<model::Reconciler::CrossCheck> created_check_;
  std::optional<model::Reconciler::CrossCheck> overflow_check_;
  std::optional<model::Reconciler::CrossCheck> resets_check_;
  std::optional<model::Reconciler::CrossCheck> queue_check_;
  std::optional<bool> gauge_agrees_;
  model::Counters kept_total_;
  model::Counters kept_unattributed_;
  model::Counters moved_;  ///< from other namespaces, as in model::NetnsRow
  model::Counters moved_unattributed_;
  model::MissedCounts missed_;  ///< in those namespaces
  model::Counters verified_;    ///< the counts that the checks are of
  std::optional<std::uint64_t> pre_existing_;
};

}  // namespace twtrace::trace
