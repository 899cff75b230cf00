// SPDX-License-Identifier: Apache-2.0
// Which network namespaces there are: their identities, slots, inode numbers and names.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "kernel/counters.hpp"
#include "kernel/netns.hpp"
#include "kernel/procfs.hpp"
#include "model/row_table.hpp"
#include "trace/name_helper.hpp"

namespace twtrace::trace {

/// Knows every namespace by its unique identity (tw_netns.id). Keeps a namespace that is gone if something was counted
/// in it. Not thread-safe.
///
/// Where the reader programs run, they find all namespaces, whoever holds them: take_readings(). Elsewhere the caller
/// adds those that /proc leads to; these get their identity with their first event. The names come from /proc either
/// way.
class NamespaceDirectory {
 public:
  /// What a namespace is called here; no other one gets the number in this run.
  using Id = std::uint32_t;
  /// Stands for those that found no slot of their own, and for those that were forgotten: "(other)".
  static constexpr Id kOther = model::kForgottenNetns;

  struct Entry {
    std::uint64_t identity = 0;  ///< tw_netns.id; 0: not known yet
    /// Of the kernel side: none before an event, and none again once it was given back. Two when something was counted
    /// after the kernel side had forgotten the first.
    std::vector<std::uint32_t> slots;
    std::uint32_t inum = 0;
    /// What people call it: "host", a name that somebody gave it (`ip netns`), or the container or pod that is in it.
    std::string name;
    bool is_container = false;  ///< `name` is that of a container or pod
    bool gone = false;
    std::uint32_t looks_for_name = 0;  ///< how often somebody could have looked for it
    std::uint32_t asked_pid = 0;       ///< the process whose container was asked for last
  };

  /// Another process's way to look, see NameHelper::namespaces().
  using Search = std::function<std::optional<NameHelper::Found>(kernel::NetnsSearch)>;
  /// From here on discover() asks `search`. It looks for itself only if that process has ended, or is late with the
  /// first answer of all.
  void search_by(Search search) { search_ = std::move(search); }
  /// Looks for namespaces and their names; `thorough` also finds those that only a descriptor holds. False: nobody can
  /// look now. A namespace that it has not found may exist then.
  bool discover(bool thorough);
  /// The same, while a namespace has no name: one that is made gets it later. Looks ever less often for the same one.
  void look_for_new_names();
  /// The container or pod of a process; empty if it is in none, or if nobody knows.
  using ContainerOf = std::function<std::string(std::uint32_t pid)>;
  /// Gives those that nobody has named the name of the container that is in them, as discover() last found it.
  void name_containers(const ContainerOf& container_of);
  const kernel::NetnsCatalog& catalog() const { return catalog_; }
  /// The existing namespace that a user means by `self`, an inode number, a name or a path: NetnsCatalog::resolve().
  /// Else by the name of a container: kUsage if several are called so.
  base::Result<Id> resolve(const std::string& spec) const;

  /// A namespace that /proc leads to.
  Id add(const kernel::NetnsRef& ref);
  /// All namespaces that exist, as the reader program found them after the last add_slots(): the others are gone.
  /// Returns those that were not known.
  std::vector<Id> take_readings(std::span<const tw_namespace_reading> readings);
  /// Gives every namespace that holds counts its slot. Returns those that were not known: they are younger than
  /// twtrace.
  std::vector<Id> add_slots(std::span<const tw_netns> slots);
  /// The same for one slot, whether or not it holds counts yet. True: it was not known.
  std::pair<Id, bool> add_slot(std::uint32_t slot, const tw_netns& netns);

  const std::map<Id, Entry>& entries() const { return entries_; }
  /// Empty when no namespace has that slot.
  std::optional<Id> id_at(std::uint32_t slot) const;
  /// Empty when no namespace has that identity.
  std::optional<Id> id_of(std::uint64_t identity) const;
  /// The slot is no longer that of its namespace.
  void drop_slot(std::uint32_t slot);
  /// Adds the entry kOther if there is none.
  void add_other();
  /// Drops one that is gone, and about which there is nothing more to say.
  void forget(Id id);

  /// From here on reading counters may look for namespaces anew some more times.
  void begin_sample() { searches_ = 0; }
  /// The kernel's counters of it, through /proc of a process in it. kNotFound: there is none (any more).
  base::Result<kernel::NetnsCounters> read_counters(Id id);
  /// Its inode number was found to be another's.
  void mark_gone(Id id) { entries_.at(id).gone = true; }

 private:
  Id insert(Entry entry);
  void take_slot(Id id, std::uint32_t slot, std::uint64_t identity);
  std::optional<Id> without_identity(std::uint32_t inum) const;

  kernel::Procfs procfs_;
  Search search_;
  kernel::NetnsCatalog catalog_;
  std::map<Id, Entry> entries_;
  std::map<std::uint32_t, Id> by_slot_;
  std::map<std::uint64_t, Id> by_identity_;
  std::optional<Id> initial_;  ///< the one that the kernel started with, if a reading has told
  Id next_ = 1;
  int searches_ = 0;  ///< of this sample
};

}  // namespace twtrace::trace
