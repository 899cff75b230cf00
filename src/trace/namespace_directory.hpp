// SPDX-License-Identifier: Apache-2.0
// Which network namespaces there are: their slots, inode numbers and names, and the way into each.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "kernel/counters.hpp"
#include "kernel/netns.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::trace {

/// Finds namespaces and remembers those that are gone, because their counts stay. Not thread-safe.
class NamespaceDirectory {
 public:
  /// What a namespace is called here; no other one gets the number in this run.
  using Id = std::uint32_t;

  struct Entry {
    std::optional<std::uint32_t> slot;  ///< of the kernel side; one that may not be entered has none before an event
    std::uint32_t inum = 0;
    std::string name;
    bool gone = false;
    bool entered = true;  ///< false: the last visit could not enter it although it was there
  };

  /// Looks for namespaces; `thorough` also finds those that only a descriptor holds.
  void discover(bool thorough);
  const kernel::NetnsCatalog& catalog() const { return catalog_; }
  /// The inode number of the namespace that a user means.
  base::Result<std::uint32_t> resolve(const std::string& spec) const;

  Id add(const kernel::NetnsRef& ref, std::optional<std::uint32_t> slot);
  /// Gives every namespace that holds counts its slot. Those that nobody has added are younger than twtrace: they are
  /// added, and returned. Whoever had the inode number before is gone.
  std::vector<Id> add_slots(std::span<const tw_netns> slots);

  const std::map<Id, Entry>& entries() const { return entries_; }
  /// nullptr when no namespace has that slot.
  const Entry* at_slot(std::uint32_t slot) const;
  std::optional<Id> id_of(std::uint32_t slot) const;

  /// From here on the directory may look for namespaces anew some more times.
  void begin_sample() { searches_ = 0; }
  /// The kernel's counters of it. kNotFound: there is no way into it (any more).
  base::Result<kernel::NetnsCounters> read_counters(Id id);
  /// Calls back inside the namespace; false when it cannot be entered.
  bool visit(Id id, const std::function<void()>& visitor);
  /// Its inode number was found to be another's.
  void mark_gone(Id id) { entries_.at(id).gone = true; }

 private:
  template <class Use>
  std::invoke_result_t<Use, const kernel::NetnsRef&> reach(Entry& entry, Use use);
  Id insert(Entry entry);

  kernel::Procfs procfs_;
  kernel::NetnsCatalog catalog_;
  std::map<Id, Entry> entries_;
  std::map<std::uint32_t, Id> by_slot_;
  int searches_ = 0;  ///< of this sample
};

}  // namespace twtrace::trace
