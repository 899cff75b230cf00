// SPDX-License-Identifier: Apache-2.0
#include "trace/rows.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "loader/tracer.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// Rows that one call of retire() looks at: asking whether a process has ended costs a look-up.
constexpr std::size_t kChecks = 1000;

std::optional<std::uint64_t> live_of(std::uint32_t slot, const tw_row& row, const LiveScan* scan) {
  if (scan != nullptr) return scan->live(slot);
  const model::Counters counts = to_counters(row.counts);
  return counts.created() > counts.removed() ? counts.created() - counts.removed() : 0;
}

/// The key without its port: who shares the row of many ports.
tw_row_key owner_of(tw_row_key key) {
  key.port = TW_PORT_MANY;
  return key;
}

struct Less {
  bool operator()(const tw_row_key& left, const tw_row_key& right) const {
    return std::memcmp(&left, &right, sizeof(left)) < 0;  // its padding is explicit, and 0
  }
};
using Owners = std::set<tw_row_key, Less>;

/// The owners that have a row of many ports.
Owners owners_of_many(std::span<const tw_row> rows) {
  Owners owners;
  for (const tw_row& row : rows) {
    if (loader::is_published(row) && row.key.port == TW_PORT_MANY) owners.insert(row.key);
  }
  return owners;
}

}  // namespace

std::map<std::uint32_t, model::Counters> Rows::counts_by_netns() const {
  std::map<std::uint32_t, model::Counters> result;
  table_.for_each([&](const model::Entry& entry, model::RowKind) { result[entry.identity.netns] += entry.counts; });
  return result;
}

const model::Identity& Rows::identity(std::uint32_t slot, const tw_row& row, const Names& names) {
  if (!table_.knows(slot, row.first_ns)) {
    table_.add(slot, row.first_ns, to_identity(row, names.netns(row.key.netns), names.service(row.key.cgroup_id)));
  }
  return table_.at(slot)->identity;
}

void Rows::read(std::span<const tw_row> rows, const Names& names, const LiveScan* scan) {
  states_.resize(std::max(states_.size(), rows.size()));
  const Owners owners = owners_of_many(rows);
  for (std::uint32_t slot = 1; slot < rows.size(); ++slot) {
    const tw_row& row = rows[slot];
    if (!loader::is_published(row)) continue;
    identity(slot, row, names);
    table_.set(slot, to_counters(row.counts), live_of(slot, row, scan), states_[slot].ended);
    if (owners.empty() || !owners.contains(owner_of(row.key))) continue;
    table_.share_port(slot, row.key.port == TW_PORT_MANY ? names.ports(row) : 1);
  }
}

bool Rows::has_ended(std::uint32_t slot, const tw_row& row, const HasEnded& ask) {
  if (row.key.attribution != TW_ATTRIBUTION_CLOSER) return false;
  SlotState& state = states_[slot];
  if (!state.ended) state.ended = ask(row);
  return state.ended;
}

/// Nothing has counted into the row lately, none of its sockets waits for its end, and it has no bucket left. A scan
/// may overlook a bucket, as the sweep assumes, so with scans it takes two.
bool Rows::is_idle(std::uint32_t slot, const tw_row& row, const LiveScan* scan) {
  const model::Entry* entry = table_.at(slot);
  SlotState& state = states_[slot];
  const bool unchanged =
      entry != nullptr && entry->counts == entry->previous && entry->counts == to_counters(row.counts);
  // Where no scan can look, live stays unknown. What is remembered of the row's buckets is swept there all the same.
  if (!unchanged || __atomic_load_n(&row.pending, __ATOMIC_SEQ_CST) != 0 || live_of(slot, row, scan).value_or(0) != 0) {
    state.idle_since.reset();
    return false;
  }
  if (scan == nullptr) return true;
  if (!state.idle_since) state.idle_since = scan->begun();
  return scan->passed_since(*state.idle_since) >= 2;
}

std::vector<std::uint32_t> Rows::retire(std::span<const tw_row> rows, const LiveScan* scan, const HasEnded& ask,
                                        const IsGone& is_gone, const Recycle& recycle) {
  std::vector<std::uint32_t> retired;
  rows = rows.first(std::min(rows.size(), states_.size()));  // others have come since they were read
  for (std::size_t checks = std::min(kChecks, rows.size()); checks > 0; --checks, ++next_check_) {
    if (next_check_ >= rows.size()) next_check_ = 1;
    const auto slot = static_cast<std::uint32_t>(next_check_);
    const tw_row& row = rows[slot];
    if (!loader::is_published(row)) continue;
    const bool ended = has_ended(slot, row, ask);
    if ((!ended && !is_gone(row.key.netns)) || !is_idle(slot, row, scan) || !recycle(slot)) continue;
    table_.retire(slot, ended);
    states_[slot] = SlotState{};
    retired.push_back(slot);
  }
  return retired;
}

}  // namespace twtrace::trace
