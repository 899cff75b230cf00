// SPDX-License-Identifier: Apache-2.0
#include "trace/netns_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "kernel/net_settings.hpp"
#include "kernel/netns_scope.hpp"
#include "model/netns_order.hpp"
#include "model/rate.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

std::uint64_t created(const kernel::TcpExt& ext) { return ext.tw + ext.tw_killed; }

/// One of the counters, which only grow, is below what it was: another namespace has the inode number now.
bool is_of_another(const kernel::TcpExt& now, const kernel::TcpExt& before) {
  return now.tw < before.tw || now.tw_killed < before.tw_killed || now.tw_recycled < before.tw_recycled ||
         now.time_wait_overflow < before.time_wait_overflow || now.listen_overflows < before.listen_overflows ||
         now.listen_drops < before.listen_drops;
}

/// How often a sample's readings look for namespaces anew, however many have gone.
constexpr int kSearches = 4;

/// How often a start is read again because our counts moved meanwhile.
constexpr int kQuietReadings = 8;

/// A published slot, or the one for what found no slot of its own.
bool holds_counts(std::uint32_t slot, const tw_netns& netns) {
  if (slot != TW_NETNS_OTHER) return loader::is_published(netns);
  const model::Counters counts = to_counters(netns.total);
  return counts != model::Counters{};
}

}  // namespace

void NetnsWatch::discover(bool thorough) {
  kernel::NetnsSearch search;
  search.open_files = thorough;
  catalog_.refresh(search);
  for (auto& [slot, watched] : watched_) {
    const kernel::NetnsRef* ref = catalog_.find(watched.inum);
    if (ref != nullptr && !watched.gone) watched.name = ref->name;
  }
}

base::Result<std::uint32_t> NetnsWatch::resolve(const std::string& spec) {
  auto ref = catalog_.resolve(spec);
  if (!ref) return tl::unexpected(ref.error());
  return ref->inum;
}

void NetnsWatch::add_existing(std::uint32_t slot, const kernel::NetnsRef& ref) { set_start(watched_[slot], ref); }

void NetnsWatch::add_unentered(const kernel::NetnsRef& ref) { set_start(unentered_[ref.inum], ref); }

void NetnsWatch::set_start(Watched& watched, const kernel::NetnsRef& ref) {
  watched.inum = ref.inum;
  watched.name = ref.name;
  const auto counters = read(watched);
  if (!counters) return;
  watched.start_known = true;
  watched.start = counters->ext;
  watched.start_in_use = static_cast<std::int64_t>(counters->in_use);
  watched.created.set_start(created(counters->ext));
  watched.overflow.set_start(counters->ext.time_wait_overflow);
}

void NetnsWatch::add_new(std::span<const tw_netns> slots) {
  bool looked = false;
  for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
    if (watched_.contains(slot) || !holds_counts(slot, slots[slot])) continue;
    if (!looked) discover(false);
    looked = true;
    // An inode number is given again once its namespace is gone.
    for (auto& [other_slot, other] : watched_) other.gone = other.gone || other.inum == slots[slot].inum;
    if (auto known = unentered_.extract(slots[slot].inum)) {
      watched_.insert_or_assign(slot, std::move(known.mapped()));
      continue;
    }
    Watched& watched = watched_[slot];
    watched.inum = slots[slot].inum;
    watched.gone = slot == TW_NETNS_OTHER;  // many namespaces: none of them can be read
    const kernel::NetnsRef* ref = catalog_.find(watched.inum);
    if (ref != nullptr) watched.name = ref->name;
    if (slot == TW_NETNS_OTHER) watched.name = "(other)";
    watched.start_known = true;
    watched.created.set_start(0);
    watched.overflow.set_start(0);
  }
}

std::uint64_t NetnsWatch::largest_limit() const {
  std::uint64_t largest = 0;
  for (const auto& [inum, ref] : catalog_.all()) {
    const auto counters = kernel::read_counters(procfs_, ref);
    if (counters && counters->limit) largest = std::max(largest, *counters->limit);
  }
  return largest;
}

/// What `use` makes of the way into the namespace; another way is looked for once when that one leads nowhere any more,
/// because the process that it went through has ended. kNotFound when there is none: the namespace is gone then, unless
/// this sample has searched often enough.
template <class Use>
std::invoke_result_t<Use, const kernel::NetnsRef&> NetnsWatch::reach(Watched& watched, Use use) {
  for (bool searched = false; !watched.gone; searched = true) {
    const kernel::NetnsRef* ref = catalog_.find(watched.inum);
    if (ref != nullptr) {
      auto result = use(*ref);
      if (result || result.error().code != base::ErrorCode::kNotFound) return result;
    }
    if (searched || searches_ == kSearches) {
      watched.gone = ref == nullptr;
      break;
    }
    ++searches_;
    discover(false);
  }
  return base::fail(base::ErrorCode::kNotFound, "there is no way into it");
}

std::optional<kernel::NetnsCounters> NetnsWatch::read(Watched& watched) {
  auto counters = reach(watched, [this](const kernel::NetnsRef& ref) { return kernel::read_counters(procfs_, ref); });
  if (counters) {
    watched.gone = is_of_another(counters->ext, watched.last);
    if (watched.gone) return std::nullopt;
    watched.last = counters->ext;
    return *counters;
  }
  if (counters.error().code != base::ErrorCode::kNotFound) {
    spdlog::info("network namespace {}: {}", watched.inum, counters.error().what);
  }
  return std::nullopt;
}

void NetnsWatch::read_before(std::span<const tw_netns> slots, bool fresh) {
  ++samples_;
  searches_ = 0;
  const bool all = reads_all(fresh);
  std::size_t left = all ? watched_.size() : readings_;
  for (auto& [slot, watched] : watched_) {
    const bool moved = fresh || !(to_counters(slots[slot].total) == watched.total);
    watched.before = watched.after;
    if (left == 0 || watched.gone || (watched.after && !(all && moved))) continue;
    watched.before = read(watched);
    --left;
  }
}

void NetnsWatch::read_after(Watched& watched, const model::Counters& total) {
  watched.total_when_read = total;
  watched.after = read(watched);
  watched.read_in = samples_;
  watched.current = true;
}

void NetnsWatch::read_after(std::span<const tw_netns> slots, bool fresh) {
  struct Due {
    bool current;
    std::uint64_t read_in;
    std::uint32_t slot;
    auto operator<=>(const Due&) const = default;
  };
  std::vector<Due> due;
  for (auto& [slot, watched] : watched_) {
    watched.current = watched.after && watched.total_when_read == to_counters(slots[slot].total);
    if (watched.gone) {
      watched.after.reset();
    } else {
      due.push_back({watched.current, watched.read_in, slot});
    }
  }
  if (!reads_all(fresh)) {
    std::sort(due.begin(), due.end());
    due.resize(std::min(due.size(), readings_));
  }
  for (const Due& next : due) read_after(watched_.at(next.slot), to_counters(slots[next.slot].total));
}

void NetnsWatch::narrow_start(std::span<const tw_netns> slots) {
  for (auto& [slot, watched] : watched_) {
    narrow_start(watched, [&slots, slot = slot] { return to_counters(slots[slot].total); });
  }
  for (auto& [inum, watched] : unentered_) {
    narrow_start(watched, [&slots, inum = inum] {
      const auto found = std::find_if(slots.begin(), slots.end(), [inum](const tw_netns& netns) {
        return loader::is_published(netns) && netns.inum == inum;
      });
      return found == slots.end() ? model::Counters{} : to_counters(found->total);
    });
  }
}

void NetnsWatch::narrow_start(Watched& watched, const std::function<model::Counters()>& ours) {
  model::Counters before;
  model::Counters after = ours();
  std::optional<kernel::NetnsCounters> counters;
  int again = 0;
  do {
    before = after;
    counters = read(watched);
    after = ours();
  } while (counters && !(before == after) && again++ < kQuietReadings);
  if (!counters) return;
  watched.start_known = true;
  watched.before = watched.after = counters;
  watched.created.narrow_start(before.created(), created(counters->ext), after.created());
  watched.overflow.narrow_start(before.refused(), counters->ext.time_wait_overflow, after.refused());
  watched.start_in_use =
      static_cast<std::int64_t>(counters->in_use + after.removed()) - static_cast<std::int64_t>(after.created());
  watched.start.tw_recycled = watched.after->ext.tw_recycled;
}

void NetnsWatch::observe_one(Watched& watched, const model::Counters& ours) {
  if (!watched.start_known || !watched.before || !watched.after || !watched.current) return;
  if (counts_at_creation_) {
    watched.created_check =
        watched.created.observe(created(watched.before->ext), ours.created(), created(watched.after->ext));
  }
  watched.overflow_check = watched.overflow.observe(watched.before->ext.time_wait_overflow, ours.refused(),
                                                    watched.after->ext.time_wait_overflow);
  watched.verified = ours;
}

void NetnsWatch::take_scan(std::span<const tw_netns> slots) {
  for (auto& [slot, watched] : watched_) watched.scanned_pre_existing = slots[slot].scanned_pre_existing;
}

void NetnsWatch::observe(const std::map<std::uint32_t, model::Counters>& ours, std::span<const tw_netns> slots,
                         bool sees_removal, bool scanned) {
  for (auto& [slot, watched] : watched_) {
    const auto found = ours.find(slot);
    watched.previous = watched.counts;
    watched.unattributed_previous = watched.unattributed;
    watched.unattributed = to_counters(slots[slot].unattributed);
    watched.counts = (found == ours.end() ? model::Counters{} : found->second) + watched.unattributed;
    watched.total = to_counters(slots[slot].total);
    watched.limit_seen = slots[slot].limit;
    watched.count_seen = slots[slot].count;
    if (sees_removal && watched.start_known) {
      const auto removed = static_cast<std::int64_t>(watched.unattributed.removed());
      watched.pre_existing = static_cast<std::uint64_t>(std::max<std::int64_t>(watched.start_in_use - removed, 0));
    } else if (!sees_removal && scanned && (watched.visited || watched.gone)) {
      watched.pre_existing = watched.scanned_pre_existing;
    }
    observe_one(watched, watched.counts);
    if (!counts_at_creation_ && sees_removal && watched.start_known && watched.before && watched.after &&
        watched.current) {
      // Before 5.18 the counters move at expiry; the gauge is what can be compared there.
      const std::int64_t expected = watched.start_in_use + static_cast<std::int64_t>(watched.counts.created()) -
                                    static_cast<std::int64_t>(watched.counts.removed());
      const auto [lowest, highest] = std::minmax(watched.before->in_use, watched.after->in_use);
      watched.gauge_agrees =
          expected >= static_cast<std::int64_t>(lowest) && expected <= static_cast<std::int64_t>(highest);
    }
  }
}

std::vector<std::uint32_t> NetnsWatch::worth_a_visit(const std::set<std::uint32_t>& also) const {
  std::vector<std::uint32_t> slots;
  for (const auto& [slot, watched] : watched_) {
    const bool empty = !also.contains(slot) && watched.current && watched.before && watched.before->in_use == 0;
    if (!watched.gone && !empty) slots.push_back(slot);
  }
  return slots;
}

bool NetnsWatch::visit(std::uint32_t slot, const std::function<void(std::uint32_t slot)>& visitor) {
  Watched& watched = watched_.at(slot);
  const auto entered = reach(watched, [&](const kernel::NetnsRef& ref) -> base::Result<void> {
    const auto scope = kernel::NetnsScope::enter(ref);
    if (!scope) return tl::unexpected(scope.error());
    visitor(slot);
    return {};
  });
  watched.visited = entered.has_value();
  return entered.has_value();
}

loader::Sight NetnsWatch::sight(std::uint32_t slot) const {
  const auto found = watched_.find(slot);
  if (found == watched_.end() || slot == TW_NETNS_OTHER) return loader::Sight::kUnknown;
  if (found->second.gone) return loader::Sight::kGone;
  return found->second.visited ? loader::Sight::kScanned : loader::Sight::kUnknown;
}

std::optional<std::uint32_t> NetnsWatch::inum(std::uint32_t slot) const {
  const auto found = watched_.find(slot);
  return found == watched_.end() ? std::nullopt : std::optional(found->second.inum);
}

std::string NetnsWatch::name(std::uint32_t slot) const {
  const auto found = watched_.find(slot);
  return found == watched_.end() ? std::string() : found->second.name;
}

std::vector<model::NetnsSettings> NetnsWatch::settings(std::set<std::uint32_t>& known) const {
  std::vector<model::NetnsSettings> result;
  for (const auto& [slot, watched] : watched_) {
    const kernel::NetnsRef* ref = watched.gone ? nullptr : catalog_.find(watched.inum);
    if (ref == nullptr || known.contains(slot)) continue;
    const auto scope = kernel::NetnsScope::enter(*ref);
    if (!scope && scope.error().code != base::ErrorCode::kPermission) continue;
    known.insert(slot);
    model::NetnsSettings& netns = result.emplace_back();
    netns.netns = watched.inum;
    netns.name = watched.name;
    if (watched.limit_seen != 0) netns.limit = watched.limit_seen;
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

std::vector<model::NetnsInfo> NetnsWatch::infos() const {
  std::vector<model::NetnsInfo> result;
  for (const auto& [slot, watched] : watched_) {
    result.push_back({slot, watched.inum, watched.name, watched.unattributed, watched.unattributed_previous});
  }
  return result;
}

std::vector<model::NetnsRow> NetnsWatch::rows(double interval_s) const {
  std::vector<model::NetnsRow> result;
  for (const auto& [slot, watched] : watched_) {
    model::NetnsRow row;
    row.id = slot;
    row.netns = watched.inum;
    row.name = watched.name;
    row.gone = watched.gone;
    if (watched.after) {
      row.in_use = watched.current ? watched.after->in_use : watched.count_seen;
      row.limit = watched.after->limit;
      if (watched.start_known) {
        row.kernel.reused = watched.after->ext.tw_recycled - watched.start.tw_recycled;
        row.kernel.listen_overflows = watched.after->ext.listen_overflows - watched.start.listen_overflows;
        row.kernel.listen_drops = watched.after->ext.listen_drops - watched.start.listen_drops;
      }
    }
    if (!row.limit && watched.limit_seen != 0) row.limit = watched.limit_seen;
    row.pre_existing = watched.pre_existing;
    row.counts = watched.counts;
    row.unattributed = watched.unattributed;
    row.created_per_s = model::rate(watched.counts.created(), watched.previous.created(), interval_s);
    row.overflow_per_s = model::rate(watched.counts.overflow(), watched.previous.overflow(), interval_s);
    // The counters of a namespace go with it: what was counted after the last reading cannot be compared any more.
    const bool verified = watched.verified == watched.counts;
    if (verified && watched.created_check) {
      row.kernel.created = watched.created_check->kernel;
      row.missed.created = watched.created_check->missed;
      row.reconciled = watched.created_check->reconciled;
    }
    if (verified && watched.gauge_agrees) row.reconciled = *watched.gauge_agrees;
    if (verified && watched.overflow_check) {
      row.kernel.overflow = watched.overflow_check->kernel;
      row.missed.overflow = watched.overflow_check->missed;
      if (row.reconciled) row.reconciled = *row.reconciled && watched.overflow_check->reconciled;
    }
    result.push_back(std::move(row));
  }
  model::sort_fullest_first(result);
  return result;
}

}  // namespace twtrace::trace
