// SPDX-License-Identifier: Apache-2.0
// The network namespaces of a trace: their slots, names, and the kernel's counters beside ours.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "kernel/counters.hpp"
#include "kernel/netns.hpp"
#include "loader/tracer.hpp"
#include "model/reconcile.hpp"
#include "model/recording.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"

namespace twtrace::trace {

/// Follows every namespace that has a slot. Not thread-safe.
class NetnsWatch {
 public:
  /// `counts_at_creation`: TW and TWKilled count when a bucket is made (Features::counts_at_creation).
  /// `readings`: how many namespaces are read in one sample where there are more.
  NetnsWatch(bool counts_at_creation, std::size_t readings)
      : counts_at_creation_(counts_at_creation), readings_(readings) {}

  /// Looks for namespaces; `thorough` also finds those that only a descriptor holds.
  void discover(bool thorough);
  const kernel::NetnsCatalog& catalog() const { return catalog_; }
  base::Result<std::uint32_t> resolve(const std::string& spec);

  /// A namespace that existed before counting was switched on; its counters are the start. Looks for namespaces again
  /// when this one cannot be reached any more.
  void add_existing(std::uint32_t slot, const kernel::NetnsRef& ref);
  /// The same for one that may not be entered, and so has no slot yet.
  void add_unentered(const kernel::NetnsRef& ref);
  /// Namespaces that got a slot since. Unless they are of the unentered ones they are younger than twtrace, so their
  /// counters started at 0.
  void add_new(std::span<const tw_netns> slots);

  /// The largest limit seen, for sizing.
  std::uint64_t largest_limit() const;

  /// Reads the kernel's counters of every namespace, before and after ours are read. Unless `fresh`, where ours have
  /// not moved since the last time that time's reading is the one before: what was missed since is stated a sample
  /// later, so the last sample is fresh.
  ///
  /// Of more than `readings` namespaces only so many are read in a sample that is not fresh: those where ours have
  /// moved since the last reading, then the others, each time those read longest ago. The reading before is the last
  /// one there. Where ours have moved and there was no reading nothing is compared; where they have not, the last
  /// check stands. `slots` of read_after() are the counts that are observed.
  void read_before(std::span<const tw_netns> slots, bool fresh);
  void read_after(std::span<const tw_netns> slots, bool fresh);
  /// Right after counting was switched on; `slots` is the live array.
  void narrow_start(std::span<const tw_netns> slots);
  /// A scan has gone through all of them: what it found there of buckets older than twtrace.
  void take_scan(std::span<const tw_netns> slots);
  /// Compares with what was read. `ours` and `unattributed` by slot, as read between the two.
  void observe(const std::map<std::uint32_t, model::Counters>& ours, std::span<const tw_netns> slots, bool sees_removal,
               bool scanned);

  /// The slots of the namespaces that exist and hold buckets or are one of `also`.
  std::vector<std::uint32_t> worth_a_visit(const std::set<std::uint32_t>& also) const;
  /// Calls back inside the namespace; false when it cannot be entered.
  bool visit(std::uint32_t slot, const std::function<void(std::uint32_t slot)>& visitor);
  /// What the last visit has come to; kScanned where there was no need for one.
  loader::Sight sight(std::uint32_t slot) const;

  /// Inode number and name of a slot's namespace.
  std::optional<std::uint32_t> inum(std::uint32_t slot) const;
  std::string name(std::uint32_t slot) const;

  /// Settings of the namespaces whose slots are not in `known`, which gets them.
  std::vector<model::NetnsSettings> settings(std::set<std::uint32_t>& known) const;

  std::vector<model::NetnsInfo> infos() const;
  /// Fullest first.
  std::vector<model::NetnsRow> rows(double interval_s) const;

 private:
  struct Watched {
    std::uint32_t inum = 0;
    std::string name;
    bool gone = false;
    bool visited = true;       ///< false: the last visit could not enter it although it was there
    bool start_known = false;  ///< else nothing can be compared
    std::optional<kernel::NetnsCounters> before;
    std::optional<kernel::NetnsCounters> after;
    std::uint64_t read_in = 0;        ///< sample of the last reading after
    model::Counters total_when_read;  ///< of the slot, just before that reading
    bool current = true;              ///< our counts have not moved since
    kernel::TcpExt start;
    std::int64_t start_in_use = 0;  ///< when our counts were 0
    kernel::TcpExt last;            ///< reading
    model::Reconciler created;
    model::Reconciler overflow;
    std::optional<model::Reconciler::CrossCheck> created_check;
    std::optional<model::Reconciler::CrossCheck> overflow_check;
    std::optional<bool> gauge_agrees;
    model::Counters verified;  ///< our counts that the checks are of
    model::Counters total;     ///< of the slot, at the last observation
    model::Counters counts;
    model::Counters previous;
    model::Counters unattributed;
    model::Counters unattributed_previous;
    std::uint64_t scanned_pre_existing = 0;  ///< by the last whole scan
    std::optional<std::uint64_t> pre_existing;
    std::uint32_t limit_seen = 0;  ///< by the programs; 0 before the first event
    std::uint32_t count_seen = 0;  ///< buckets, the same way
  };

  void set_start(Watched& watched, const kernel::NetnsRef& ref);
  void narrow_start(Watched& watched, const std::function<model::Counters()>& ours);
  template <class Use>
  std::invoke_result_t<Use, const kernel::NetnsRef&> reach(Watched& watched, Use use);
  std::optional<kernel::NetnsCounters> read(Watched& watched);
  bool reads_all(bool fresh) const { return fresh || watched_.size() <= readings_; }
  void read_after(Watched& watched, const model::Counters& total);
  void observe_one(Watched& watched, const model::Counters& ours);

  bool counts_at_creation_;
  std::size_t readings_;
  std::uint64_t samples_ = 0;
  int searches_ = 0;  ///< of this sample
  kernel::Procfs procfs_;
  kernel::NetnsCatalog catalog_;
  std::map<std::uint32_t, Watched> watched_;    ///< by slot
  std::map<std::uint32_t, Watched> unentered_;  ///< by inode number
};

}  // namespace twtrace::trace
