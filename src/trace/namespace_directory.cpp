// SPDX-License-Identifier: Apache-2.0
#include "trace/namespace_directory.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <set>
#include <utility>

#include "loader/tracer.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// How often a sample looks for namespaces anew, however many have gone.
constexpr int kSearches = 4;

/// The name of a namespace is looked for at the 1st, 2nd, 4th chance and so on, up to this one. It comes a little later
/// (in a pod with the first process, after its network was set up), and many have none.
constexpr std::uint32_t kLastLook = 512;

/// A published slot, or the one for what found no slot of its own.
bool holds_counts(std::uint32_t slot, const tw_netns& netns) {
  if (slot != TW_NETNS_OTHER) return loader::is_published(netns);
  return !(to_counters(netns.total) == model::Counters{});
}

/// What somebody has called it; empty if nobody has, or if it was the engine of a container. Only a reading tells which
/// one is the host's: /proc may show the process 1 of a container, or nothing of process 1.
std::string given_name(const kernel::NetnsRef& ref) {
  return kernel::named_by_engine(ref.name) ? std::string() : ref.name;
}

std::string known_names(const std::map<NamespaceDirectory::Id, NamespaceDirectory::Entry>& entries) {
  constexpr std::size_t kMostBytes = 200;
  std::string hint;
  for (const auto& [id, entry] : entries) {
    if (entry.gone || entry.name.empty()) continue;
    hint += (hint.empty() ? "known names: " : ", ") + entry.name;
    if (hint.size() > kMostBytes) return hint + ", ...";
  }
  return hint;
}

}  // namespace

bool NamespaceDirectory::discover(bool thorough) {
  kernel::NetnsSearch search;
  search.open_files = thorough;
  auto found = search_ ? search_(search) : std::nullopt;
  const bool looks_itself = !found || (!found->namespaces && catalog_.is_empty());
  if (looks_itself) {
    catalog_.refresh(search);
  } else if (found->namespaces) {
    catalog_.take(std::move(*found->namespaces));
  }
  for (auto& [id, entry] : entries_) {
    const kernel::NetnsRef* ref = entry.gone ? nullptr : catalog_.find(entry.inum);
    if (ref == nullptr || id == initial_) continue;
    std::string given = given_name(*ref);
    if (initial_ && given == kernel::kHostName) given.clear();
    if (given.empty() && entry.is_container) continue;
    entry.name = given;
    entry.is_container = false;
    if (!given.empty()) entry.asked_pid = 0;
  }
  return looks_itself || found->is_fresh;
}

void NamespaceDirectory::look_for_new_names() {
  bool wanted = false;
  for (auto& [id, entry] : entries_) {
    if (entry.gone || !entry.name.empty() || entry.looks_for_name == kLastLook) continue;
    ++entry.looks_for_name;
    wanted = wanted || std::has_single_bit(entry.looks_for_name);
  }
  if (wanted) discover(false);
}

void NamespaceDirectory::name_containers(const ContainerOf& container_of) {
  for (auto& [id, entry] : entries_) {
    const kernel::NetnsRef* ref = entry.gone || !entry.name.empty() ? nullptr : catalog_.find(entry.inum);
    const std::uint32_t pid = ref == nullptr ? 0 : ref->pid.value_or(0);
    if (pid == entry.asked_pid) continue;
    entry.asked_pid = pid;
    if (pid == 0) continue;
    entry.name = container_of(pid);
    if (entry.name == kernel::kHostName) entry.name.clear();
    entry.is_container = !entry.name.empty();
  }
}

base::Result<NamespaceDirectory::Id> NamespaceDirectory::resolve(const std::string& spec) const {
  if (initial_ && spec == kernel::kHostName) return *initial_;
  const auto ref = catalog_.resolve(spec);
  const auto is_meant = [&](const auto& item) {
    return !item.second.gone && (ref ? item.second.inum == ref->inum : !spec.empty() && item.second.name == spec);
  };
  const auto found = std::find_if(entries_.begin(), entries_.end(), is_meant);
  if (found != entries_.end()) {
    const auto other = std::find_if(std::next(found), entries_.end(), is_meant);
    if (ref || other == entries_.end()) return found->first;
    return base::fail(base::ErrorCode::kUsage, "several network namespaces are called '" + spec + "'",
                      "give the inode number of one, as in " + std::to_string(found->second.inum) + " or " +
                          std::to_string(other->second.inum));
  }
  if (!ref) {
    base::Error error = ref.error();
    if (spec.find('/') == std::string::npos) error.hint = known_names(entries_);
    return tl::unexpected(std::move(error));
  }
  return base::fail(base::ErrorCode::kNotFound, "the network namespace '" + spec + "' has just gone", "try again");
}

NamespaceDirectory::Id NamespaceDirectory::insert(Entry entry) {
  const Id id = next_++;
  if (entry.identity != 0) by_identity_[entry.identity] = id;
  entries_.emplace(id, std::move(entry));
  return id;
}

void NamespaceDirectory::take_slot(Id id, std::uint32_t slot, std::uint64_t identity) {
  Entry& entry = entries_.at(id);
  entry.slots.push_back(slot);
  entry.identity = identity;
  by_slot_[slot] = by_identity_[identity] = id;
}

NamespaceDirectory::Id NamespaceDirectory::add(const kernel::NetnsRef& ref) {
  Entry entry;
  entry.inum = ref.inum;
  entry.name = given_name(ref);
  return insert(std::move(entry));
}

std::vector<NamespaceDirectory::Id> NamespaceDirectory::take_readings(std::span<const tw_namespace_reading> readings) {
  std::set<Id> present;
  std::vector<Id> added;
  for (const tw_namespace_reading& reading : readings) {
    auto id = id_of(reading.id);
    if (!id) {
      Entry entry;
      entry.identity = reading.id;
      entry.inum = reading.inum;
      id = insert(std::move(entry));
      added.push_back(*id);
    }
    present.insert(*id);
    if (reading.initial != 0) {
      initial_ = id;
      entries_.at(*id).name = kernel::kHostName;
    }
  }
  for (auto& [id, entry] : entries_) entry.gone = !present.contains(id);
  return added;
}

/// One that /proc led to, and that has had no event so far.
std::optional<NamespaceDirectory::Id> NamespaceDirectory::without_identity(std::uint32_t inum) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [inum](const auto& item) {
    return !item.second.gone && item.second.identity == 0 && item.second.inum == inum;
  });
  return found == entries_.end() ? std::nullopt : std::optional(found->first);
}

std::pair<NamespaceDirectory::Id, bool> NamespaceDirectory::add_slot(std::uint32_t slot, const tw_netns& netns) {
  if (slot == TW_NETNS_OTHER) {
    const bool is_new = !entries_.contains(kOther);
    add_other();
    entries_.at(kOther).slots.push_back(slot);
    by_slot_[slot] = kOther;
    return {kOther, is_new};
  }
  auto known = id_of(netns.id);
  if (!known) known = without_identity(netns.inum);
  if (known) {
    take_slot(*known, slot, netns.id);
    return {*known, false};
  }
  // An inode number is given again once its namespace is gone.
  for (auto& [id, entry] : entries_) entry.gone = entry.gone || entry.inum == netns.inum;
  Entry entry;
  entry.inum = netns.inum;
  const Id id = insert(std::move(entry));
  take_slot(id, slot, netns.id);
  return {id, true};
}

void NamespaceDirectory::add_other() {
  Entry entry;
  entry.name = "(other)";
  entry.gone = true;  // many namespaces: none of them can be read
  entries_.try_emplace(kOther, std::move(entry));
}

void NamespaceDirectory::drop_slot(std::uint32_t slot) {
  const auto found = by_slot_.find(slot);
  std::erase(entries_.at(found->second).slots, slot);
  by_slot_.erase(found);
}

std::vector<NamespaceDirectory::Id> NamespaceDirectory::add_slots(std::span<const tw_netns> slots) {
  std::vector<Id> added;
  for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
    if (by_slot_.contains(slot) || !holds_counts(slot, slots[slot])) continue;
    const auto [id, is_new] = add_slot(slot, slots[slot]);
    if (is_new) added.push_back(id);
  }
  return added;
}

std::optional<NamespaceDirectory::Id> NamespaceDirectory::id_at(std::uint32_t slot) const {
  const auto found = by_slot_.find(slot);
  return found == by_slot_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<NamespaceDirectory::Id> NamespaceDirectory::id_of(std::uint64_t identity) const {
  const auto found = by_identity_.find(identity);
  return found == by_identity_.end() ? std::nullopt : std::optional(found->second);
}

void NamespaceDirectory::forget(Id id) {
  const auto found = entries_.find(id);
  by_identity_.erase(found->second.identity);
  for (const std::uint32_t slot : found->second.slots) by_slot_.erase(slot);
  entries_.erase(found);
}

/// If the known process is no longer in the namespace, this searches once for another one. If it finds none, the
/// namespace counts as gone. A sample does only a few such searches.
base::Result<kernel::NetnsCounters> NamespaceDirectory::read_counters(Id id) {
  Entry& entry = entries_.at(id);
  for (bool searched = false; !entry.gone; searched = true) {
    const kernel::NetnsRef* ref = catalog_.find(entry.inum);
    if (ref != nullptr) {
      auto counters = kernel::read_counters(procfs_, *ref);
      if (counters || counters.error().code != base::ErrorCode::kNotFound) return counters;
    }
    if (searched || searches_ == kSearches) {
      entry.gone = ref == nullptr;
      break;
    }
    ++searches_;
    if (!discover(false)) break;
  }
  return base::fail(base::ErrorCode::kNotFound, "no process is in it");
}

}  // namespace twtrace::trace
