// SPDX-License-Identifier: Apache-2.0
#include "trace/namespaces.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "kernel/net_settings.hpp"
#include "model/netns_order.hpp"
#include "trace/jiffies.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// How often a start is read again because our counts moved meanwhile.
constexpr int kQuietReadings = 8;

}  // namespace

/// All namespaces at once; those that were not known start where they are, or at 0 when they are younger than counting.
/// Empty when they cannot be read.
std::optional<Namespaces::Readings> Namespaces::read_pass(Start start) {
  const auto pass = readers_->namespaces().read(true);
  if (!pass) {
    if (!complained_) spdlog::warn("the kernel's counters cannot be read: {}", pass.error().what);
    complained_ = true;
    return std::nullopt;
  }
  const std::vector<Id> added = directory_.take_readings(*pass);
  Readings readings;
  for (const tw_namespace_reading& reading : *pass)
    readings.emplace(*directory_.id_of(reading.id), to_netns_counters(reading));
  for (const Id id : added) {
    if (start == Start::kAsRead) {
      open(id).start_at(readings.at(id));
    } else {
      open(id).start_at_zero();
    }
  }
  directory_.look_for_new_names();
  return readings;
}

void Namespaces::add_existing() {
  if (readers_) {
    read_pass(Start::kAsRead);
    directory_.discover(true);
    return;
  }
  directory_.discover(true);
  for (const auto& [inum, ref] : directory_.catalog().all()) {
    const Id id = directory_.add(ref);
    NamespaceLedger& ledger = open(id);
    if (const auto counters = read(id)) ledger.start_at(*counters);
  }
}

void Namespaces::add_new(std::span<const tw_netns> slots) {
  for (const Id id : directory_.add_slots(slots)) open(id).start_at_zero();
}

void Namespaces::look(std::span<const tw_netns> slots) {
  if (!readers_) return;
  add_new(slots);
  const auto pass = readers_->namespaces().read(false);
  if (!pass) return;
  for (const Id id : directory_.take_readings(*pass)) open(id).start_at_zero();
  directory_.look_for_new_names();
}

NamespaceDirectory::Id Namespaces::id_at(std::uint32_t slot, std::span<const tw_netns> slots) {
  if (const auto known = directory_.id_at(slot)) return *known;
  const auto [id, is_new] = directory_.add_slot(slot, slots[slot]);
  if (is_new) open(id).start_at_zero();
  return id;
}

model::Counters Namespaces::total(Id id, const Entry& entry, std::span<const tw_netns> slots) const {
  model::Counters total = ledgers_.at(id).kept_total();
  for (const std::uint32_t slot : entry.slots) total += to_counters(slots[slot].total);
  return total;
}

std::optional<kernel::NetnsCounters> Namespaces::read(Id id) {
  const auto counters = directory_.read_counters(id);
  if (counters) {
    if (!ledgers_.at(id).is_of_another(*counters)) return *counters;
    directory_.mark_gone(id);
  } else if (counters.error().code != base::ErrorCode::kNotFound) {
    spdlog::info("network namespace {}: {}", directory_.entries().at(id).inum, counters.error().what);
  }
  return std::nullopt;
}

std::map<NamespaceDirectory::Id, model::Counters> Namespaces::totals(std::span<const tw_netns> slots) {
  add_new(slots);
  std::map<Id, model::Counters> result;
  for (const auto& [id, entry] : directory_.entries()) result.emplace(id, total(id, entry, slots));
  return result;
}

void Namespaces::narrow_start(const SlotsNow& slots) {
  if (readers_) {
    narrow_start_by_pass(slots);
    return;
  }
  add_new(slots());
  for (const auto& [id, entry] : directory_.entries()) narrow_start(id, slots);
}

/// Those whose counts have moved meanwhile are taken from another pass.
void Namespaces::narrow_start_by_pass(const SlotsNow& slots) {
  std::set<Id> narrowed;
  bool all_quiet = false;
  for (int again = 0; again <= kQuietReadings && !all_quiet; ++again) {
    auto before = totals(slots());
    const auto readings = read_pass(Start::kAtZero);
    if (!readings) return;
    auto after = totals(slots());
    all_quiet = true;
    for (const auto& [id, reading] : *readings) {
      const bool quiet = before[id] == after[id] || again == kQuietReadings;
      all_quiet = all_quiet && quiet;
      if (quiet && narrowed.insert(id).second) ledgers_.at(id).narrow_start(before[id], reading, after[id]);
    }
  }
}

void Namespaces::narrow_start(Id id, const SlotsNow& slots) {
  const auto total_now = [&] { return total(id, directory_.entries().at(id), slots()); };
  model::Counters before;
  model::Counters after = total_now();
  std::optional<kernel::NetnsCounters> counters;
  int again = 0;
  do {
    before = after;
    counters = read(id);
    add_new(slots());
    after = total_now();
  } while (counters && !(before == after) && again++ < kQuietReadings);
  if (counters) ledgers_.at(id).narrow_start(before, *counters, after);
}

/// Those that exist. `moved` tells of a ledger and the namespace's total whether ours have moved.
template <class Moved>
std::vector<ReadingPlan::Candidate> Namespaces::candidates(std::span<const tw_netns> slots, Moved moved) const {
  std::vector<ReadingPlan::Candidate> result;
  for (const auto& [id, entry] : directory_.entries()) {
    if (entry.gone) continue;
    const NamespaceLedger& ledger = ledgers_.at(id);
    result.push_back({id, ledger.was_read(), moved(ledger, total(id, entry, slots))});
  }
  return result;
}

void Namespaces::read_before(std::span<const tw_netns> slots, bool fresh) {
  directory_.begin_sample();
  for (auto& [id, ledger] : ledgers_) ledger.carry_over();
  if (readers_) {
    const auto readings = read_pass(Start::kAtZero);
    if (!readings) return;
    for (const auto& [id, reading] : *readings) ledgers_.at(id).take_before(reading);
    return;
  }
  directory_.look_for_new_names();
  const auto moved = [](const NamespaceLedger& ledger, const model::Counters& total) {
    return !(ledger.ours().total == total);
  };
  for (const Id id : plan_.due_before(candidates(slots, moved), fresh)) ledgers_.at(id).take_before(read(id));
}

void Namespaces::read_after(std::span<const tw_netns> slots, bool fresh) {
  if (readers_) {
    const auto readings = read_pass(Start::kAtZero);
    if (!readings) return;
    for (const auto& [id, reading] : *readings) {
      ledgers_.at(id).take_after(reading, total(id, directory_.entries().at(id), slots));
    }
    return;
  }
  const auto moved = [](const NamespaceLedger& ledger, const model::Counters& total) {
    return !ledger.is_read_at(total);
  };
  for (const Id id : plan_.due_after(candidates(slots, moved), fresh)) {
    ledgers_.at(id).take_after(read(id), total(id, directory_.entries().at(id), slots));
  }
}

std::set<NamespaceDirectory::Id> Namespaces::observe(const std::map<Id, model::Counters>& counts,
                                                     std::span<const tw_netns> slots, const model::Sight& sees,
                                                     const std::map<std::uint64_t, std::uint64_t>* older, bool fresh) {
  read_after(slots, fresh);
  for (const auto& [id, entry] : directory_.entries()) {
    const auto found = counts.find(id);
    OurCounts observed = ours(id, entry, found == counts.end() ? model::Counters{} : found->second, slots);
    observed.sees = sees;
    observed.older_buckets_known = older != nullptr;
    if (older != nullptr && older->contains(entry.identity)) observed.older_buckets = older->at(entry.identity);
    if (entry.gone) ledgers_.at(id).take_after(std::nullopt, observed.total);
    ledgers_.at(id).observe(observed);
  }
  return forget_gone(older);
}

OurCounts Namespaces::ours(Id id, const Entry& entry, const model::Counters& of_rows,
                           std::span<const tw_netns> slots) const {
  const NamespaceLedger& ledger = ledgers_.at(id);
  OurCounts ours;
  ours.total = total(id, entry, slots);
  ours.unattributed = ledger.kept_unattributed();
  ours.limit_seen = ledger.ours().limit_seen;
  ours.buckets_seen = ledger.ours().buckets_seen;
  for (const std::uint32_t slot : entry.slots) {
    ours.unattributed += to_counters(slots[slot].unattributed);
    ours.limit_seen = slots[slot].limit;
    ours.buckets_seen = slots[slot].count;
  }
  ours.counts = of_rows;
  ours.counts += ours.unattributed;
  // Without a slot its events may have been counted in the slot for what found none.
  ours.complete = !entry.slots.empty() || ours.total != model::Counters{} || !directory_.id_at(TW_NETNS_OTHER);
  return ours;
}

std::set<std::uint32_t> Namespaces::gone_slots() const {
  std::set<std::uint32_t> result;
  for (const auto& [id, entry] : directory_.entries()) {
    if (entry.gone && id != NamespaceDirectory::kOther) result.insert(entry.slots.begin(), entry.slots.end());
  }
  return result;
}

void Namespaces::keep_slot(std::uint32_t slot, const tw_netns& last) {
  ledgers_.at(*directory_.id_at(slot)).keep(to_counters(last.total), to_counters(last.unattributed));
  directory_.drop_slot(slot);
}

void Namespaces::forget(Id id) {
  directory_.forget(id);
  ledgers_.erase(id);
  plan_.forget(id);
}

/// A namespace is forgotten when it is gone and has no slot any more: at once if nothing was counted in it, because
/// nobody will ask for it. The next scan still has to tell the end of the buckets from before the start that the last
/// one found there.
std::set<NamespaceDirectory::Id> Namespaces::forget_gone(const std::map<std::uint64_t, std::uint64_t>* older) {
  std::vector<Id> idle;
  std::vector<Id> counted;  // the oldest first
  for (const auto& [id, entry] : directory_.entries()) {
    if (older != nullptr && older->contains(entry.identity)) continue;
    if (!entry.gone || !entry.slots.empty() || id == NamespaceDirectory::kOther) continue;
    const OurCounts& ours = ledgers_.at(id).ours();
    (ours.counts == model::Counters{} && ours.total == model::Counters{} ? idle : counted).push_back(id);
  }
  for (const Id id : idle) forget(id);
  if (counted.size() <= most_gone_) return {};
  counted.resize(counted.size() - most_gone_);
  directory_.add_other();
  NamespaceLedger& other = open(NamespaceDirectory::kOther);
  for (const Id id : counted) {
    other.take_over(ledgers_.at(id));
    forget(id);
  }
  return {counted.begin(), counted.end()};
}

std::vector<model::NetnsSettings> Namespaces::settings(std::set<Id>& known) {
  if (!readers_) return own_settings(known);
  std::vector<model::NetnsSettings> result;
  const auto& entries = directory_.entries();
  const bool all_known = std::all_of(entries.begin(), entries.end(), [&known](const auto& entry) {
    return entry.second.gone || known.contains(entry.first);
  });
  if (all_known) return result;
  const auto pass = readers_->namespaces().read(false, true);
  if (!pass) return result;
  const auto own = directory_.catalog().resolve("self");
  const std::uint64_t hertz = jiffies_per_second(*pass, own ? own->inum : 0);
  for (const tw_namespace_reading& reading : *pass) {
    const auto id = directory_.id_of(reading.id);
    if (!id || !known.insert(*id).second) continue;
    result.push_back(to_settings(reading, hertz));
    result.back().netns_id = *id;
    result.back().name = directory_.entries().at(*id).name;
  }
  return result;
}

/// Those of our own namespace, which /proc shows; of the others the limit at the last event.
std::vector<model::NetnsSettings> Namespaces::own_settings(std::set<Id>& known) const {
  std::vector<model::NetnsSettings> result;
  const auto own = directory_.resolve("self");
  for (const auto& [id, entry] : directory_.entries()) {
    if (entry.gone || !known.insert(id).second) continue;
    model::NetnsSettings& netns = result.emplace_back();
    if (own && id == *own) static_cast<base::NetSettings&>(netns) = kernel::read_net_settings();
    netns.netns = entry.inum;
    netns.netns_id = id;
    netns.name = entry.name;
    const std::uint32_t limit_seen = ledgers_.at(id).ours().limit_seen;
    if (!netns.limit && limit_seen != 0) netns.limit = limit_seen;
  }
  return result;
}

std::vector<model::NetnsInfo> Namespaces::infos() const {
  std::vector<model::NetnsInfo> result;
  for (const auto& [id, entry] : directory_.entries()) {
    const NamespaceLedger& ledger = ledgers_.at(id);
    result.push_back({id, entry.inum, entry.name, ledger.ours().unattributed, ledger.previously_unattributed()});
  }
  return result;
}

std::vector<model::NetnsRow> Namespaces::rows(double interval_s) const {
  std::vector<model::NetnsRow> result;
  for (const auto& [id, entry] : directory_.entries()) {
    model::NetnsRow row = ledgers_.at(id).row(interval_s);
    row.id = id;
    row.netns = entry.inum;
    row.name = entry.name;
    row.is_container = entry.is_container;
    row.gone = entry.gone;
    result.push_back(std::move(row));
  }
  model::sort_fullest_first(result);
  return result;
}

}  // namespace twtrace::trace
