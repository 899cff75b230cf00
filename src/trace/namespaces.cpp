// SPDX-License-Identifier: Apache-2.0
#include "trace/namespaces.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "kernel/net_settings.hpp"
#include "kernel/netns_scope.hpp"
#include "model/netns_order.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// How often a start is read again because our counts moved meanwhile.
constexpr int kQuietReadings = 8;

}  // namespace

void Namespaces::add_existing(const kernel::NetnsRef& ref, std::optional<std::uint32_t> slot) {
  const Id id = directory_.add(ref, slot);
  NamespaceLedger& ledger = open(id);
  if (const auto counters = read(id)) ledger.start_at(*counters);
}

void Namespaces::add_new(std::span<const tw_netns> slots) {
  for (const Id id : directory_.add_slots(slots)) open(id).start_at_zero();
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

void Namespaces::narrow_start(std::span<const tw_netns> slots) {
  for (const auto& [id, entry] : directory_.entries()) {
    if (entry.slot) {
      narrow_start(id, [&slots, slot = *entry.slot] { return to_counters(slots[slot].total); });
      continue;
    }
    narrow_start(id, [&slots, inum = entry.inum] {
      const auto found = std::find_if(slots.begin(), slots.end(), [inum](const tw_netns& netns) {
        return loader::is_published(netns) && netns.inum == inum;
      });
      return found == slots.end() ? model::Counters{} : to_counters(found->total);
    });
  }
}

void Namespaces::narrow_start(Id id, const std::function<model::Counters()>& total) {
  model::Counters before;
  model::Counters after = total();
  std::optional<kernel::NetnsCounters> counters;
  int again = 0;
  do {
    before = after;
    counters = read(id);
    after = total();
  } while (counters && !(before == after) && again++ < kQuietReadings);
  if (counters) ledgers_.at(id).narrow_start(before, *counters, after);
}

/// Those that exist and have a slot. `moved` tells of a ledger and the slot's total whether ours have moved.
template <class Moved>
std::vector<ReadingPlan::Candidate> Namespaces::candidates(std::span<const tw_netns> slots, Moved moved) const {
  std::vector<ReadingPlan::Candidate> result;
  for (const auto& [id, entry] : directory_.entries()) {
    if (!entry.slot || entry.gone) continue;
    const NamespaceLedger& ledger = ledgers_.at(id);
    result.push_back({id, ledger.was_read(), moved(ledger, to_counters(slots[*entry.slot].total))});
  }
  return result;
}

void Namespaces::read_before(std::span<const tw_netns> slots, bool fresh) {
  directory_.begin_sample();
  for (auto& [id, ledger] : ledgers_) ledger.carry_over();
  const auto moved = [](const NamespaceLedger& ledger, const model::Counters& total) {
    return !(ledger.ours().total == total);
  };
  for (const Id id : plan_.due_before(candidates(slots, moved), fresh)) ledgers_.at(id).take_before(read(id));
}

void Namespaces::observe(const std::map<std::uint32_t, model::Counters>& counts, std::span<const tw_netns> slots,
                         bool sees_removal, bool scanned, bool fresh) {
  const auto moved = [](const NamespaceLedger& ledger, const model::Counters& total) {
    return !ledger.is_read_at(total);
  };
  for (const Id id : plan_.due_after(candidates(slots, moved), fresh)) {
    const std::uint32_t slot = *directory_.entries().at(id).slot;
    ledgers_.at(id).take_after(read(id), to_counters(slots[slot].total));
  }
  for (const auto& [id, entry] : directory_.entries()) {
    if (!entry.slot) continue;
    const auto found = counts.find(*entry.slot);
    OurCounts observed = ours(entry, found == counts.end() ? model::Counters{} : found->second, slots[*entry.slot]);
    observed.sees_removal = sees_removal;
    observed.older_buckets_known = scanned && (entry.entered || entry.gone);
    if (entry.gone) ledgers_.at(id).take_after(std::nullopt, observed.total);
    ledgers_.at(id).observe(observed);
  }
}

OurCounts Namespaces::ours(const Entry& entry, const model::Counters& of_rows, const tw_netns& slot) const {
  OurCounts ours;
  ours.total = to_counters(slot.total);
  ours.unattributed = to_counters(slot.unattributed);
  ours.counts = of_rows + ours.unattributed;
  ours.limit_seen = slot.limit;
  ours.buckets_seen = slot.count;
  const auto scanned = scanned_.find(*entry.slot);
  if (scanned != scanned_.end()) ours.older_buckets = scanned->second;
  return ours;
}

void Namespaces::take_scan(std::span<const tw_netns> slots) {
  for (const auto& [id, entry] : directory_.entries()) {
    if (entry.slot) scanned_[*entry.slot] = slots[*entry.slot].scanned_pre_existing;
  }
}

std::vector<std::uint32_t> Namespaces::worth_a_visit(const std::set<std::uint32_t>& also) const {
  std::vector<std::uint32_t> slots;
  for (const auto& [id, entry] : directory_.entries()) {
    if (!entry.slot || entry.gone) continue;
    if (also.contains(*entry.slot) || !ledgers_.at(id).is_empty()) slots.push_back(*entry.slot);
  }
  return slots;
}

bool Namespaces::visit(std::uint32_t slot, const std::function<void(std::uint32_t slot)>& visitor) {
  const auto id = directory_.id_of(slot);
  return id && directory_.visit(*id, [&] { visitor(slot); });
}

loader::Sight Namespaces::sight(std::uint32_t slot) const {
  const Entry* entry = directory_.at_slot(slot);
  if (entry == nullptr || slot == TW_NETNS_OTHER) return loader::Sight::kUnknown;
  if (entry->gone) return loader::Sight::kGone;
  return entry->entered ? loader::Sight::kScanned : loader::Sight::kUnknown;
}

std::vector<model::NetnsSettings> Namespaces::settings(std::set<std::uint32_t>& known) const {
  std::vector<model::NetnsSettings> result;
  for (const auto& [id, entry] : directory_.entries()) {
    if (!entry.slot) continue;
    const kernel::NetnsRef* ref = entry.gone ? nullptr : directory_.catalog().find(entry.inum);
    if (ref == nullptr || known.contains(*entry.slot)) continue;
    const auto scope = kernel::NetnsScope::enter(*ref);
    if (!scope && scope.error().code != base::ErrorCode::kPermission) continue;
    known.insert(*entry.slot);
    model::NetnsSettings& netns = result.emplace_back();
    netns.netns = entry.inum;
    netns.name = entry.name;
    const std::uint32_t limit_seen = ledgers_.at(id).ours().limit_seen;
    if (limit_seen != 0) netns.limit = limit_seen;
    if (!scope) continue;
    const kernel::NetSettings read = kernel::read_net_settings();
    netns.limit = read.limit;
    netns.default_limit = read.default_limit;
    netns.fin_timeout_s = read.fin_timeout_s;
    netns.tw_reuse = read.tw_reuse;
    netns.syn_backlog = read.syn_backlog;
    netns.somaxconn = read.somaxconn;
    netns.ephemeral_ports = read.ephemeral_ports;
  }
  return result;
}

std::vector<model::NetnsInfo> Namespaces::infos() const {
  std::vector<model::NetnsInfo> result;
  for (const auto& [id, entry] : directory_.entries()) {
    if (!entry.slot) continue;
    const NamespaceLedger& ledger = ledgers_.at(id);
    result.push_back(
        {*entry.slot, entry.inum, entry.name, ledger.ours().unattributed, ledger.previously_unattributed()});
  }
  return result;
}

std::vector<model::NetnsRow> Namespaces::rows(double interval_s) const {
  std::vector<model::NetnsRow> result;
  for (const auto& [id, entry] : directory_.entries()) {
    if (!entry.slot) continue;
    model::NetnsRow row = ledgers_.at(id).row(interval_s);
    row.id = *entry.slot;
    row.netns = entry.inum;
    row.name = entry.name;
    row.gone = entry.gone;
    result.push_back(std::move(row));
  }
  model::sort_fullest_first(result);
  return result;
}

}  // namespace twtrace::trace
