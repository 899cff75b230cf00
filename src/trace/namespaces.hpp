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
#include <vector>

#include "kernel/netns.hpp"
#include "loader/readers.hpp"
#include "loader/tracer.hpp"
#include "model/recording.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "trace/namespace_directory.hpp"
#include "trace/namespace_ledger.hpp"
#include "trace/reading_plan.hpp"

namespace twtrace::trace {

/// Follows every namespace of a directory with a ledger each. Not thread-safe.
///
/// The kernel's counters come from the reader programs, which read all namespaces at once. Where these cannot run they
/// come from /proc of a process in each namespace, as many in a sample as the plan says.
///
/// Before counting is switched on: add_existing(); afterwards narrow_start(). For a sample: read_before(), read ours,
/// observe().
class Namespaces {
 public:
  using Id = NamespaceDirectory::Id;
  using Entry = NamespaceDirectory::Entry;
  /// The slots as they are now; there may be more of them at every call.
  using SlotsNow = std::function<std::span<const tw_netns>()>;

  /// `counts_at_creation`: Features::counts_at_creation. `readings`: how many namespaces are read in one sample where
  /// there are more and no readers. `most_gone`: how many that are gone keep an entry of their own.
  Namespaces(std::optional<loader::Readers> readers, bool counts_at_creation, std::size_t readings,
             std::size_t most_gone = 256)
      : readers_(std::move(readers)), counts_at_creation_(counts_at_creation), most_gone_(most_gone), plan_(readings) {}

  const NamespaceDirectory& directory() const { return directory_; }
  /// See NamespaceDirectory.
  void search_by(NamespaceDirectory::Search search) { directory_.search_by(std::move(search)); }
  void name_containers(const NamespaceDirectory::ContainerOf& container_of) {
    directory_.name_containers(container_of);
  }
  /// nullptr where the reader programs cannot run.
  loader::Readers* readers() { return readers_ ? &*readers_ : nullptr; }

  /// All that there are now; their counters are the start.
  void add_existing();
  /// Right after counting was switched on.
  void narrow_start(const SlotsNow& slots);

  /// Adds the namespaces that got a slot since. Unless they existed before they are younger than twtrace, so their
  /// counters started at 0.
  void add_new(std::span<const tw_netns> slots);
  /// The namespace of a published slot, or of TW_NETNS_OTHER; `slots` is the live array.
  Id id_at(std::uint32_t slot, std::span<const tw_netns> slots);
  /// Finds out between two samples which namespaces are new and which are gone. Does nothing without the reader
  /// programs.
  void look(std::span<const tw_netns> slots);
  /// Reads the kernel's counters before ours are read.
  void read_before(std::span<const tw_netns> slots, bool fresh);
  /// Reads the kernel's counters after ours were read, and compares. `counts` are those of rows; `slots` was copied
  /// after them. `older`: where the programs do not see how buckets end, those older than twtrace by identity, as the
  /// last scan found them; nullptr when there was none. Forgets those that have been gone longest, beyond `most_gone`:
  /// what was counted there is kOther's from here on. Returns which: their rows are to become kOther's, too.
  std::set<Id> observe(const std::map<Id, model::Counters>& counts, std::span<const tw_netns> slots,
                       const model::Sight& sees, const std::map<std::uint64_t, std::uint64_t>* older, bool fresh);

  /// The slots of those that are gone.
  std::set<std::uint32_t> gone_slots() const;
  /// The slot is given back. What it counted stays with its namespace; `last` is what it counted.
  void keep_slot(std::uint32_t slot, const tw_netns& last);

  /// Settings of the namespaces that are not in `known`, which gets them.
  std::vector<model::NetnsSettings> settings(std::set<Id>& known);
  std::vector<model::NetnsInfo> infos() const;
  /// Fullest first.
  std::vector<model::NetnsRow> rows(double interval_s) const;

 private:
  /// What the kernel's own counters were at one moment, of the namespaces that could be read.
  using Readings = std::map<Id, kernel::NetnsCounters>;
  enum class Start { kAsRead, kAtZero };

  model::Counters total(Id id, const Entry& entry, std::span<const tw_netns> slots) const;
  NamespaceLedger& open(Id id) { return ledgers_.emplace(id, counts_at_creation_).first->second; }
  std::optional<Readings> read_pass(Start start);
  std::optional<kernel::NetnsCounters> read(Id id);
  std::map<Id, model::Counters> totals(std::span<const tw_netns> slots);
  void narrow_start_by_pass(const SlotsNow& slots);
  void narrow_start(Id id, const SlotsNow& slots);
  template <class Moved>
  std::vector<ReadingPlan::Candidate> candidates(std::span<const tw_netns> slots, Moved moved) const;
  void read_after(std::span<const tw_netns> slots, bool fresh);
  OurCounts ours(Id id, const Entry& entry, const model::Counters& of_rows, std::span<const tw_netns> slots) const;
  std::set<Id> forget_gone(const std::map<std::uint64_t, std::uint64_t>* older);
  void forget(Id id);
  std::vector<model::NetnsSettings> own_settings(std::set<Id>& known) const;

  std::optional<loader::Readers> readers_;
  bool complained_ = false;  ///< about a pass that failed
  NamespaceDirectory directory_;
  bool counts_at_creation_;
  std::size_t most_gone_;
  ReadingPlan plan_;
  std::map<Id, NamespaceLedger> ledgers_;  ///< one for each entry of the directory
};

}  // namespace twtrace::trace
