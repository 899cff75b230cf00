// SPDX-License-Identifier: Apache-2.0
#include "trace/namespace_directory.hpp"

#include <algorithm>
#include <utility>

#include "kernel/netns_scope.hpp"
#include "loader/tracer.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// How often a sample looks for namespaces anew, however many have gone.
constexpr int kSearches = 4;

/// A published slot, or the one for what found no slot of its own.
bool holds_counts(std::uint32_t slot, const tw_netns& netns) {
  if (slot != TW_NETNS_OTHER) return loader::is_published(netns);
  return !(to_counters(netns.total) == model::Counters{});
}

}  // namespace

void NamespaceDirectory::discover(bool thorough) {
  kernel::NetnsSearch search;
  search.open_files = thorough;
  catalog_.refresh(search);
  for (auto& [id, entry] : entries_) {
    const kernel::NetnsRef* ref = entry.gone ? nullptr : catalog_.find(entry.inum);
    if (ref != nullptr) entry.name = ref->name;
  }
}

base::Result<std::uint32_t> NamespaceDirectory::resolve(const std::string& spec) const {
  auto ref = catalog_.resolve(spec);
  if (!ref) return tl::unexpected(ref.error());
  return ref->inum;
}

NamespaceDirectory::Id NamespaceDirectory::insert(Entry entry) {
  const Id id = static_cast<Id>(entries_.size()) + 1;
  if (entry.slot) by_slot_[*entry.slot] = id;
  entries_.emplace(id, std::move(entry));
  return id;
}

NamespaceDirectory::Id NamespaceDirectory::add(const kernel::NetnsRef& ref, std::optional<std::uint32_t> slot) {
  return insert({.slot = slot, .inum = ref.inum, .name = ref.name});
}

std::vector<NamespaceDirectory::Id> NamespaceDirectory::add_slots(std::span<const tw_netns> slots) {
  std::vector<Id> added;
  bool looked = false;
  for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
    if (by_slot_.contains(slot) || !holds_counts(slot, slots[slot])) continue;
    if (!looked) discover(false);
    looked = true;
    const std::uint32_t inum = slots[slot].inum;
    std::optional<Id> known;
    for (auto& [id, entry] : entries_) {
      if (entry.gone || entry.inum != inum) continue;
      if (entry.slot) {
        entry.gone = true;
      } else {
        known = id;
        entry.slot = slot;
      }
    }
    if (known) {
      by_slot_[slot] = *known;
      continue;
    }
    Entry entry{.slot = slot, .inum = inum, .name = {}};
    const kernel::NetnsRef* ref = catalog_.find(inum);
    if (ref != nullptr) entry.name = ref->name;
    if (slot == TW_NETNS_OTHER) entry.name = "(other)";
    entry.gone = slot == TW_NETNS_OTHER;  // many namespaces: none of them can be read
    added.push_back(insert(std::move(entry)));
  }
  return added;
}

const NamespaceDirectory::Entry* NamespaceDirectory::at_slot(std::uint32_t slot) const {
  const auto id = id_of(slot);
  return id ? &entries_.at(*id) : nullptr;
}

std::optional<NamespaceDirectory::Id> NamespaceDirectory::id_of(std::uint32_t slot) const {
  const auto found = by_slot_.find(slot);
  return found == by_slot_.end() ? std::nullopt : std::optional(found->second);
}

/// What `use` makes of the way into the namespace; another way is looked for once when that one leads nowhere any more,
/// because the process that it went through has ended. kNotFound when there is none: the namespace is gone then, unless
/// this sample has searched often enough.
template <class Use>
std::invoke_result_t<Use, const kernel::NetnsRef&> NamespaceDirectory::reach(Entry& entry, Use use) {
  for (bool searched = false; !entry.gone; searched = true) {
    const kernel::NetnsRef* ref = catalog_.find(entry.inum);
    if (ref != nullptr) {
      auto result = use(*ref);
      if (result || result.error().code != base::ErrorCode::kNotFound) return result;
    }
    if (searched || searches_ == kSearches) {
      entry.gone = ref == nullptr;
      break;
    }
    ++searches_;
    discover(false);
  }
  return base::fail(base::ErrorCode::kNotFound, "there is no way into it");
}

base::Result<kernel::NetnsCounters> NamespaceDirectory::read_counters(Id id) {
  return reach(entries_.at(id), [this](const kernel::NetnsRef& ref) { return kernel::read_counters(procfs_, ref); });
}

bool NamespaceDirectory::visit(Id id, const std::function<void()>& visitor) {
  Entry& entry = entries_.at(id);
  const auto entered = reach(entry, [&](const kernel::NetnsRef& ref) -> base::Result<void> {
    const auto scope = kernel::NetnsScope::enter(ref);
    if (!scope) return tl::unexpected(scope.error());
    visitor();
    return {};
  });
  entry.entered = entered.has_value();
  return entered.has_value();
}

}  // namespace twtrace::trace
