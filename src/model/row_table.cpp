// SPDX-License-Identifier: Apache-2.0
#include "model/row_table.hpp"

#include <utility>

namespace twtrace::model {
namespace {

std::optional<std::uint32_t> sum(const std::optional<std::uint32_t>& one, const std::optional<std::uint32_t>& other) {
  return one && other ? std::optional(*one + *other) : std::nullopt;
}

void merge(Entry& into, const Entry& from) {
  into.ports = sum(into.ports, from.ports);
  into.counts += from.counts;
  into.sampled += from.sampled;
  into.previous += from.previous;
  into.exited = into.exited && from.exited;
  // The same process may come back with a reused row. Other counts add up.
  if (!into.identity.pid) into.pids += from.pids;
}

}  // namespace

void set_owner(Event& event, const Identity& who) {
  event.attribution = who.attribution;
  if (who.pid) event.process = ProcessId{who.pid, who.comm, who.uid, 1, false};
  event.service = who.service;
  event.uid = who.uid;
  event.role = who.role;
  event.port = who.port;
  if (who.port == 0) event.port = who.role == Role::kServer ? event.local_port : event.remote_port;
  if (event.port == 0) event.port.reset();
  event.ipv6 = who.ipv6;
}

Identity folded(Identity identity) {
  identity.pid.reset();
  identity.start_ns = 0;
  return identity;
}

void RowTable::begin_interval() {
  const auto begin = [](Entry& entry) {
    entry.previous = entry.sampled;
    entry.sampled = entry.counts;
  };
  for (Slot& slot : slots_) {
    if (slot.entry) begin(*slot.entry);
  }
  for (Entry& entry : ended_) begin(entry);
  for (Entry& entry : folded_) begin(entry);
  for (auto& [netns, entry] : other_) begin(entry);
}

bool RowTable::knows(std::uint32_t slot, std::uint64_t first_ns) const {
  return slot < slots_.size() && slots_[slot].entry && slots_[slot].first_ns == first_ns;
}

void RowTable::add(std::uint32_t slot, std::uint64_t first_ns, Identity identity) {
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  if (slots_[slot].entry) retire(slot);
  Entry entry;
  entry.identity = std::move(identity);
  slots_[slot] = Slot{first_ns, std::move(entry)};
  ++present_;
}

void RowTable::set(std::uint32_t slot, const Counters& counts, std::optional<std::uint64_t> live, bool exited) {
  refresh(slot, counts, live, exited);
  slots_[slot].entry->sampled = counts;
}

void RowTable::refresh(std::uint32_t slot, const Counters& counts, std::optional<std::uint64_t> live, bool exited) {
  Entry& entry = *slots_[slot].entry;
  entry.counts = counts;
  entry.live = live;
  entry.exited = exited;
}

void RowTable::share_port(std::uint32_t slot, std::optional<std::uint32_t> ports) {
  Entry& entry = *slots_[slot].entry;
  entry.identity.port = 0;
  entry.ports = ports;
}

void RowTable::retire(std::uint32_t slot, bool exited) {
  Entry entry = std::move(*slots_[slot].entry);
  slots_[slot].entry.reset();
  --present_;
  entry.exited = exited;
  entry.live = 0;
  keep(std::move(entry));
  make_room();
}

void RowTable::move(const std::set<std::uint32_t>& namespaces, std::uint32_t to) {
  std::list<Entry> moved;
  for (std::list<Entry>* list : {&ended_, &folded_}) {
    for (auto entry = list->begin(); entry != list->end();) {
      const auto next = std::next(entry);
      if (namespaces.contains(entry->identity.netns)) {
        by_identity_.erase(entry->identity);
        moved.splice(moved.end(), *list, entry);
      }
      entry = next;
    }
  }
  for (Entry& entry : moved) {
    entry.identity = folded(std::move(entry.identity));
    entry.identity.netns = to;
    keep(std::move(entry));
  }
  for (const std::uint32_t netns : namespaces) {
    const auto other = other_.find(netns);
    if (other == other_.end()) continue;
    Entry entry = std::move(other->second);
    other_.erase(other);
    entry.identity.netns = to;
    merge_into_other(entry);
  }
}

const Entry* RowTable::at(std::uint32_t slot) const {
  return slot < slots_.size() && slots_[slot].entry ? &*slots_[slot].entry : nullptr;
}

void RowTable::make_room() {
  while (ended_.size() + folded_.size() > max_rows_) {
    if (ended_.empty()) {
      merge_into_other(take_oldest(folded_));
      continue;
    }
    Entry oldest = take_oldest(ended_);
    oldest.identity = folded(std::move(oldest.identity));
    keep(std::move(oldest));
  }
}

Entry RowTable::take_oldest(std::list<Entry>& list) {
  Entry oldest = std::move(list.front());
  by_identity_.erase(oldest.identity);
  list.pop_front();
  return oldest;
}

void RowTable::keep(Entry entry) {
  std::list<Entry>& list = list_of(entry.identity);
  const auto known = by_identity_.find(entry.identity);
  if (known != by_identity_.end()) {
    merge(*known->second, entry);
    list.splice(list.end(), list, known->second);
    return;
  }
  list.push_back(std::move(entry));
  by_identity_.emplace(list.back().identity, std::prev(list.end()));
}

void RowTable::merge_into_other(const Entry& entry) {
  const auto [other, is_new] = other_.try_emplace(entry.identity.netns);
  if (is_new) {
    other->second.identity.netns = entry.identity.netns;
    other->second.pids = 0;
    other->second.exited = true;
    other->second.live = 0;
  }
  merge(other->second, entry);
}

}  // namespace twtrace::model
