// SPDX-License-Identifier: Apache-2.0
#include "model/view.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "model/rate.hpp"

namespace twtrace::model {
namespace {

/// The dimensions by which a group tells rows apart; what it merges is empty.
struct RowKey {
  RowKind kind = RowKind::kNormal;
  std::uint32_t netns = 0;
  std::optional<base::Service> service;
  std::optional<std::string> comm;
  std::optional<std::pair<std::optional<std::uint32_t>, std::uint64_t>> process;
  std::optional<std::uint32_t> uid;
  std::optional<Attribution> attribution;
  std::optional<Role> role;
  std::optional<std::uint16_t> port;
  std::optional<Peer> peer;
  auto operator<=>(const RowKey&) const = default;
};

RowKey key_of(const Identity& identity, RowKind kind, Group group) {
  RowKey key;
  key.kind = kind;
  key.netns = identity.netns;
  if (group == Group::kNetns || kind != RowKind::kNormal) return key;
  if (group == Group::kPort || group == Group::kProcess || group == Group::kPid || group == Group::kPeer) {
    key.role = identity.role;
    key.port = identity.port;
  }
  if (group == Group::kPort) return key;
  key.service = identity.service;
  if (group == Group::kService) return key;
  key.comm = identity.comm;
  key.attribution = identity.attribution;
  if (group == Group::kPid) {
    key.process.emplace(identity.pid, identity.start_ns);
    key.uid = identity.uid;
  }
  return key;
}

/// A row while entries are being added to it.
struct Builder {
  Counters counts;
  Counters previous;
  std::optional<std::uint64_t> live = 0;
  std::set<std::pair<std::uint32_t, std::uint64_t>> processes;
  std::uint32_t folded_pids = 0;
  std::optional<std::uint32_t> uid;
  bool uid_differs = false;
  std::optional<Attribution> attribution;
  bool attribution_differs = false;
  bool all_exited = true;

  void add(const Entry& entry) {
    counts += entry.counts;
    previous += entry.previous;
    live = live && entry.live ? std::optional(*live + *entry.live) : std::nullopt;
    const Identity& identity = entry.identity;
    if (identity.attribution == Attribution::kCloser) {
      if (identity.pid) {
        processes.emplace(*identity.pid, identity.start_ns);
      } else {
        folded_pids += entry.pids;
      }
      all_exited = all_exited && entry.exited;
    }
    uid_differs = uid_differs || (uid && *uid != identity.uid);
    uid = identity.uid;
    attribution_differs = attribution_differs || (attribution && *attribution != identity.attribution);
    attribution = identity.attribution;
  }
};

ProcessId process_of(const RowKey& key, const Builder& builder) {
  ProcessId process;
  process.comm = key.comm.value_or("");
  process.pids = static_cast<std::uint32_t>(builder.processes.size()) + builder.folded_pids;
  if (builder.processes.size() == 1 && builder.folded_pids == 0) process.pid = builder.processes.begin()->first;
  if (!builder.uid_differs) process.uid = builder.uid;
  process.exited = process.pids > 0 && builder.all_exited;
  return process;
}

void set_counts(Row& row, const Counters& counts, const Counters& previous, double interval_s) {
  row.counts = counts;
  row.created_per_s = rate(counts.created(), previous.created(), interval_s);
  row.overflow_per_s = rate(counts.overflow(), previous.overflow(), interval_s);
}

Row finish(const RowKey& key, const Builder& builder, const NetnsInfo& netns, double interval_s) {
  Row row;
  row.kind = key.kind;
  row.netns = netns.inum;
  row.netns_name = netns.name;
  row.service = key.service;
  row.role = key.role;
  row.port = key.port;
  row.peer = key.peer;
  if (key.comm) row.process = process_of(key, builder);
  if (key.kind == RowKind::kNormal && !builder.attribution_differs) row.attribution = builder.attribution;
  row.live = builder.live;
  set_counts(row, builder.counts, builder.previous, interval_s);
  return row;
}

bool hides_remainders(const Filter& filter) {
  Filter without_netns = filter;
  without_netns.netns.reset();
  return !without_netns.empty();
}

using Builders = std::map<RowKey, Builder>;
using NetnsById = std::map<std::uint32_t, const NetnsInfo*>;

/// Takes up to `amount` out of `from`, field by field; returns what was taken.
Counters take(Counters& from, const Counters& amount) {
  Counters taken = from;
  from -= amount;
  taken -= from;
  return taken;
}

/// What the peer table knows takes the place of the processes' rows; the rest of each stays as a row without a peer.
void split_by_peer(Builders& builders, const PeerTable& peers, const View& view, const NetnsById& netns_by_id) {
  Builders by_peer;
  for (const auto& [peer_key, peer_counts] : peers.all()) {
    const auto netns = netns_by_id.find(peer_key.identity.netns);
    if (netns == netns_by_id.end() || !view.filter.accepts(peer_key.identity, netns->second->inum)) continue;
    RowKey key = key_of(peer_key.identity, RowKind::kNormal, Group::kPeer);
    const auto whole = builders.find(key);
    if (whole == builders.end()) continue;
    key.peer = peer_key.peer;
    const auto [row, is_new] = by_peer.try_emplace(std::move(key), whole->second);
    Builder& builder = row->second;
    if (is_new) {  // the same processes, but none of their counts
      builder.counts = builder.previous = Counters{};
      builder.live.reset();
    }
    // No more than is left: a part of what was counted per peer may have gone to (other).
    builder.counts += take(whole->second.counts, peer_counts.counts);
    builder.previous += take(whole->second.previous, peer_counts.previous);
  }
  for (auto& [key, builder] : builders) {
    builder.live.reset();
    if (builder.counts != Counters{} || key.kind != RowKind::kNormal) by_peer.emplace(key, builder);
  }
  builders = std::move(by_peer);
}

Row unattributed_row(const NetnsInfo& netns, double interval_s) {
  Row row;
  row.kind = RowKind::kUnattributed;
  row.netns = netns.inum;
  row.netns_name = netns.name;
  row.attribution = Attribution::kNone;
  set_counts(row, netns.unattributed, netns.unattributed_previous, interval_s);
  return row;
}

}  // namespace

std::vector<Row> build_rows(const Table& table, const PeerTable& peers, const std::vector<NetnsInfo>& namespaces,
                            const View& view, double interval_s, std::uint64_t& hidden) {
  NetnsById netns_by_id;
  for (const NetnsInfo& netns : namespaces) netns_by_id.emplace(netns.id, &netns);
  const bool no_remainders = hides_remainders(view.filter);

  Builders builders;
  table.for_each([&](const Entry& entry, RowKind kind) {
    const auto netns = netns_by_id.find(entry.identity.netns);
    if (netns == netns_by_id.end() || (kind != RowKind::kNormal && no_remainders)) return;
    if (!view.filter.accepts(entry.identity, netns->second->inum)) return;
    builders[key_of(entry.identity, kind, view.group)].add(entry);
  });
  if (view.group == Group::kPeer) split_by_peer(builders, peers, view, netns_by_id);

  std::vector<Row> rows;
  rows.reserve(builders.size());
  for (const auto& [key, builder] : builders) {
    rows.push_back(finish(key, builder, *netns_by_id.at(key.netns), interval_s));
  }
  for (const NetnsInfo& netns : namespaces) {
    const bool wanted = !view.filter.netns || *view.filter.netns == netns.inum;
    if (wanted && !no_remainders && netns.unattributed != Counters{})
      rows.push_back(unattributed_row(netns, interval_s));
  }
  sort_rows(rows, view.sort);
  hidden = view.max_rows != 0 && rows.size() > view.max_rows ? rows.size() - view.max_rows : 0;
  rows.resize(rows.size() - hidden);
  return rows;
}

}  // namespace twtrace::model
