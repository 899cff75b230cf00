// SPDX-License-Identifier: Apache-2.0
// The network namespaces of a trace: who they are, and the kernel's counters beside ours.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "kernel/netns.hpp"
#include "loader/tracer.hpp"
#include "model/recording.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "trace/namespace_directory.hpp"
#include "trace/namespace_ledger.hpp"
#include "trace/reading_plan.hpp"

namespace twtrace::trace {

/// Follows every namespace of a directory with a ledger each, as often as the plan says. Not thread-safe.
///
/// Before counting is switched on: add_existing() for each namespace that there is; afterwards narrow_start(). For a
/// sample: read_before(), read ours, observe().
class Namespaces {
 public:
  /// `counts_at_creation`: Features::counts_at_creation. `readings`: how many namespaces are read in one sample where
  /// there are more.
  Namespaces(NamespaceDirectory directory, bool counts_at_creation, std::size_t readings)
      : directory_(std::move(directory)), counts_at_creation_(counts_at_creation), plan_(readings) {}

  const NamespaceDirectory& directory() const { return directory_; }

  /// Its counters are the start. One that may not be entered has no slot yet.
  void add_existing(const kernel::NetnsRef& ref, std::optional<std::uint32_t> slot);
  /// Right after counting was switched on; `slots` is the live array.
  void narrow_start(std::span<const tw_netns> slots);

  /// Adds the namespaces that got a slot since. Unless they existed before they are younger than twtrace, so their
  /// counters started at 0.
  void add_new(std::span<const tw_netns> slots);
  /// Reads the kernel's counters before ours are read.
  void read_before(std::span<const tw_netns> slots, bool fresh);
  /// Reads the kernel's counters after ours were read, and compares. `counts` are those of rows, by slot; `slots` was
  /// copied after them. `scanned`: a scan has been through all of them.
  void observe(const std::map<std::uint32_t, model::Counters>& counts, std::span<const tw_netns> slots,
               bool sees_removal, bool scanned, bool fresh);
  /// A scan has gone through all of them: what it found there of buckets older than twtrace.
  void take_scan(std::span<const tw_netns> slots);

  /// The slots of the namespaces that exist and hold buckets or are one of `also`.
  std::vector<std::uint32_t> worth_a_visit(const std::set<std::uint32_t>& also) const;
  /// Calls back inside the namespace of that slot; false when it cannot be entered.
  bool visit(std::uint32_t slot, const std::function<void(std::uint32_t slot)>& visitor);
  /// What the last visit has come to; kScanned where there was no need for one.
  loader::Sight sight(std::uint32_t slot) const;

  /// Settings of the namespaces whose slots are not in `known`, which gets them.
  std::vector<model::NetnsSettings> settings(std::set<std::uint32_t>& known) const;
  std::vector<model::NetnsInfo> infos() const;
  /// Fullest first.
  std::vector<model::NetnsRow> rows(double interval_s) const;

 private:
  using Id = NamespaceDirectory::Id;
  using Entry = NamespaceDirectory::Entry;

  NamespaceLedger& open(Id id) { return ledgers_.emplace(id, counts_at_creation_).first->second; }
  std::optional<kernel::NetnsCounters> read(Id id);
  void narrow_start(Id id, const std::function<model::Counters()>& total);
  template <class Moved>
  std::vector<ReadingPlan::Candidate> candidates(std::span<const tw_netns> slots, Moved moved) const;
  OurCounts ours(const Entry& entry, const model::Counters& of_rows, const tw_netns& slot) const;

  NamespaceDirectory directory_;
  bool counts_at_creation_;
  ReadingPlan plan_;
  std::map<Id, NamespaceLedger> ledgers_;           ///< one for each entry of the directory
  std::map<std::uint32_t, std::uint64_t> scanned_;  ///< buckets older than twtrace, by slot, by the last whole scan
};

}  // namespace twtrace::trace
