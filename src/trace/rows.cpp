// SPDX-License-Identifier: Apache-2.0
#include "trace/rows.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "loader/tracer.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

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
    if (loader::is_published(row) && row.key.port == TW_PORT_MANY && row.key.role != TW_ROLE_NONE)
      owners.insert(row.key);
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

void Rows::read(std::span<const tw_row> rows, const Facts& facts) { read(rows, facts, &model::RowTable::set); }

void Rows::look(std::span<const tw_row> rows, const Facts& facts) { read(rows, facts, &model::RowTable::refresh); }

void Rows::read(std::span<const tw_row> rows, const Facts& facts, Put put) {
  states_.resize(std::max(states_.size(), rows.size()));
  const Owners owners = owners_of_many(rows);
  for (std::uint32_t slot = 1; slot < rows.size(); ++slot) {
    const tw_row& row = rows[slot];
    if (!loader::is_published(row)) continue;
    SlotState& state = states_[slot];
    const auto live = live_of(slot, row, facts.scan);
    identity(slot, row, facts.names);
    check_end(state, row, facts.processes);
    check_idle(state, row, live, facts.scan);
    (table_.*put)(slot, state.counts, live, state.ended);
    if (row.key.role == TW_ROLE_NONE) table_.share_port(slot, 0);
    if (owners.empty() || !owners.contains(owner_of(row.key))) continue;
    table_.share_port(slot, row.key.port == TW_PORT_MANY ? facts.names.ports(row) : 1);
  }
}

/// Asks only if a process has ended since the last time, because asking takes a system call.
void Rows::check_end(SlotState& state, const tw_row& row, const Processes& processes) {
  if (row.key.attribution != TW_ATTRIBUTION_CLOSER || state.ended || state.asked_at == processes.exits) return;
  state.ended = !processes.is_alive(row.key);
  state.asked_at = processes.exits;
}

/// Idle: nothing has counted into the row since the last read, none of its sockets waits for its end, and it has no
/// bucket left. Where no scan can look, live stays unknown: what is remembered of the buckets is swept there all the
/// same.
void Rows::check_idle(SlotState& state, const tw_row& row, std::optional<std::uint64_t> live, const LiveScan* scan) {
  const model::Counters counts = to_counters(row.counts);
  const bool idle =
      counts == state.counts && __atomic_load_n(&row.pending, __ATOMIC_SEQ_CST) == 0 && live.value_or(0) == 0;
  state.counts = counts;
  if (!idle) {
    state.idle_since.reset();
  } else if (!state.idle_since) {
    state.idle_since = scan == nullptr ? 0 : scan->begun();
  }
}

/// A scan may overlook a bucket, as the sweep assumes, so with scans it takes two of them.
std::vector<std::uint32_t> Rows::retire(std::span<const tw_row> rows, const LiveScan* scan, const IsGone& is_gone,
                                        const GiveBack& give_back) {
  std::vector<std::uint32_t> freed;
  for (std::uint32_t slot = 1; slot < std::min(rows.size(), states_.size()); ++slot) {
    SlotState& state = states_[slot];
    if (!state.idle_since || (!state.ended && !is_gone(rows[slot].key.netns))) continue;
    if (scan != nullptr && scan->passed_since(*state.idle_since) < 2) continue;
    if (!state.unlinked) {
      state.unlinked = give_back.unlink(slot);
      continue;
    }
    const bool ended = state.ended;
    give_back.free(slot);
    table_.retire(slot, ended);
    state = SlotState{};
    freed.push_back(slot);
  }
  return freed;
}

}  // namespace twtrace::trace
