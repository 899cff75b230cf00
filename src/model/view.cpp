// SPDX-License-Identifier: Apache-2.0
#include "model/view.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/rate.hpp"

namespace twtrace::model {
namespace {

/// The dimensions by which a group tells rows apart; what it merges is left out.
struct Dimensions {
  bool process = false;
  bool program = false;  ///< comm and attribution
  bool service = false;
  bool port = false;  ///< and role
  bool peer = false;
};

Dimensions dimensions(Group group, RowKind kind) {
  if (kind != RowKind::kNormal) return {};
  switch (group) {
    case Group::kProcess:
      return {.program = true, .service = true, .port = true};
    case Group::kPid:
      return {.process = true, .program = true, .service = true, .port = true};
    case Group::kService:
      return {.service = true};
    case Group::kPort:
      return {.port = true};
    case Group::kPeer:
      return {.program = true, .service = true, .port = true, .peer = true};
    case Group::kNetns:
      return {};
  }
  return {};
}

void mix(std::uint64_t& hash, std::uint64_t value) {
  // The finisher of SplitMix64 (Steele, Lea and Flood, 2014).
  hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6U) + (hash >> 2U);
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
  hash ^= hash >> 31U;
}

void mix(std::uint64_t& hash, const std::string& text) { mix(hash, std::hash<std::string>{}(text)); }

/// Which row a fact goes into, by reference.
struct RowKey {
  const Identity* who;
  const Peer* peer;
  RowKind kind;
  Dimensions by;
  std::uint64_t hash;
};

std::uint64_t hash_of(const RowKey& key) {
  auto hash = static_cast<std::uint64_t>(key.kind);
  const Identity& who = *key.who;
  mix(hash, who.netns);
  if (key.by.process) {
    mix(hash, who.pid.value_or(0));
    mix(hash, who.start_ns);
    mix(hash, who.uid);
  }
  if (key.by.program) {
    mix(hash, who.comm);
    mix(hash, static_cast<std::uint64_t>(who.attribution));
  }
  if (key.by.service) {
    mix(hash, who.service.name);
    mix(hash, who.service.cgroup);
  }
  if (key.by.port) mix(hash, std::uint64_t{who.port} << 1U | static_cast<std::uint64_t>(who.role));
  if (key.peer != nullptr) {
    mix(hash, key.peer->address);
    mix(hash, key.peer->port.value_or(0));
  }
  return hash | 1U;  // 0 means unknown
}

RowKey key_of(const Fact& fact, Group group) {
  const Dimensions by = dimensions(group, fact.kind);
  RowKey key{&fact.identity, by.peer ? fact.peer : nullptr, fact.kind, by, 0};
  key.hash = hash_of(key);
  return key;
}

struct HashKey {
  std::size_t operator()(const RowKey& key) const { return key.hash; }
};

struct SameKey {
  bool operator()(const RowKey& left, const RowKey& right) const {
    const Identity& a = *left.who;
    const Identity& b = *right.who;
    const Dimensions& by = left.by;
    const bool same_peer =
        left.peer == nullptr || right.peer == nullptr ? left.peer == right.peer : *left.peer == *right.peer;
    return left.hash == right.hash && left.kind == right.kind && a.netns == b.netns && same_peer &&
           (!by.process || (a.pid == b.pid && a.start_ns == b.start_ns && a.uid == b.uid)) &&
           (!by.program || (a.comm == b.comm && a.attribution == b.attribution)) &&
           (!by.service || a.service == b.service) && (!by.port || (a.port == b.port && a.role == b.role));
  }
};

/// A row while facts are being added to it.
struct Builder {
  Counters counts;
  Counters previous;
  Counters zero;
  std::optional<std::uint64_t> live = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> processes;  ///< pid and start; may repeat
  std::uint32_t folded_pids = 0;
  std::optional<std::uint32_t> uid;
  bool uid_differs = false;
  std::optional<Attribution> attribution;
  bool attribution_differs = false;
  bool all_exited = true;

  void add(const Fact& fact) {
    counts += fact.counts;
    previous += fact.previous;
    zero += fact.zero;
    live = live && fact.live ? std::optional(*live + *fact.live) : std::nullopt;
    const Identity& identity = fact.identity;
    if (identity.attribution == Attribution::kCloser) {
      if (identity.pid) {
        processes.emplace_back(*identity.pid, identity.start_ns);
      } else {
        folded_pids += fact.pids;
      }
      all_exited = all_exited && fact.exited;
    }
    uid_differs = uid_differs || (uid && *uid != identity.uid);
    uid = identity.uid;
    attribution_differs = attribution_differs || (attribution && *attribution != identity.attribution);
    attribution = identity.attribution;
  }

  void forget_repeated_processes() {
    std::sort(processes.begin(), processes.end());
    processes.erase(std::unique(processes.begin(), processes.end()), processes.end());
  }
};

using Builders = std::unordered_map<RowKey, Builder, HashKey, SameKey>;
using NetnsById = std::unordered_map<std::uint32_t, const NetnsInfo*>;

ProcessId process_of(const RowKey& key, const Builder& builder) {
  ProcessId process;
  process.comm = key.who->comm;
  process.pids = static_cast<std::uint32_t>(builder.processes.size()) + builder.folded_pids;
  if (builder.processes.size() == 1 && builder.folded_pids == 0) process.pid = builder.processes.front().first;
  if (!builder.uid_differs) process.uid = builder.uid;
  process.exited = process.pids > 0 && builder.all_exited;
  return process;
}

/// Rates are of what was really counted; what was zeroed is left out of the counts alone.
void set_counts(Row& row, const Counters& counts, const Counters& previous, const Counters& zero, double interval_s) {
  row.counts = counts;
  row.counts -= zero;
  row.created_per_s = rate(counts.created(), previous.created(), interval_s);
  row.overflow_per_s = rate(counts.overflow(), previous.overflow(), interval_s);
}

Row finish(const RowKey& key, Builder& builder, const NetnsInfo& netns, double interval_s) {
  builder.forget_repeated_processes();
  Row row;
  row.id = key.hash;
  row.kind = key.kind;
  row.netns = netns.inum;
  row.netns_name = netns.name;
  if (key.by.service) row.service = key.who->service;
  if (key.by.port) {
    row.role = key.who->role;
    row.port = key.who->port;
  }
  if (key.peer != nullptr) row.peer = *key.peer;
  if (key.by.program) row.process = process_of(key, builder);
  if (key.kind == RowKind::kNormal && !builder.attribution_differs) row.attribution = builder.attribution;
  row.live = builder.live;
  set_counts(row, builder.counts, builder.previous, builder.zero, interval_s);
  return row;
}

bool hides_remainders(const Filter& filter) {
  Filter without_netns = filter;
  without_netns.netns.reset();
  return !without_netns.empty();
}

/// Takes up to `amount` out of `from`, field by field; returns what was taken.
Counters take(Counters& from, const Counters& amount) {
  Counters taken = from;
  from -= amount;
  taken -= from;
  return taken;
}

/// The row of a peer out of the row of its processes: the same processes, but none of their counts.
Builder without_counts(const Builder& whole) {
  Builder builder = whole;
  builder.counts = builder.previous = builder.zero = Counters{};
  builder.live.reset();
  return builder;
}

/// What the peer table knows takes the place of the processes' rows; the rest of each stays as a row without a peer.
void split_by_peer(Builders& builders, const Source& source, const View& view, const NetnsById& netns_by_id) {
  Builders by_peer;
  source.visit_peers([&](const Fact& fact) {
    const auto netns = netns_by_id.find(fact.identity.netns);
    if (netns == netns_by_id.end() || !view.filter.accepts(fact.identity, netns->second->inum)) return;
    RowKey processes = key_of(fact, Group::kPeer);
    processes.peer = nullptr;
    processes.hash = hash_of(processes);
    const auto whole = builders.find(processes);
    if (whole == builders.end()) return;
    const RowKey key = key_of(fact, Group::kPeer);
    auto row = by_peer.find(key);
    if (row == by_peer.end()) row = by_peer.emplace(key, without_counts(whole->second)).first;
    Builder& builder = row->second;
    // No more than is left: a part of what was counted per peer may have gone to (other).
    builder.counts += take(whole->second.counts, fact.counts);
    builder.previous += take(whole->second.previous, fact.previous);
    builder.zero += take(whole->second.zero, fact.zero);
  });
  for (auto& [key, builder] : builders) {
    builder.live.reset();
    if (builder.counts != Counters{} || key.kind != RowKind::kNormal) by_peer.emplace(key, std::move(builder));
  }
  builders = std::move(by_peer);
}

std::uint64_t unattributed_id(const NetnsInfo& netns) {
  auto id = static_cast<std::uint64_t>(RowKind::kUnattributed);
  mix(id, netns.id);
  return id | 1U;
}

Row unattributed_row(const NetnsInfo& netns, double interval_s) {
  Row row;
  row.kind = RowKind::kUnattributed;
  row.id = unattributed_id(netns);
  row.netns = netns.inum;
  row.netns_name = netns.name;
  row.attribution = Attribution::kNone;
  set_counts(row, netns.unattributed, netns.unattributed_previous, {}, interval_s);
  return row;
}

}  // namespace

void TableSource::visit(const FactVisitor& visitor) const {
  const Counters zero;
  table_.for_each([&](const Entry& entry, RowKind kind) {
    visitor({entry.identity, kind, nullptr, entry.counts, entry.previous, zero, entry.live, entry.pids, entry.exited});
  });
}

void TableSource::visit_peers(const FactVisitor& visitor) const {
  const Counters zero;
  for (const auto& [key, peer] : peers_.all()) {
    visitor({key.identity, RowKind::kNormal, &key.peer, peer.counts, peer.previous, zero, std::nullopt});
  }
}

std::uint64_t row_id(const Fact& fact, Group group) { return key_of(fact, group).hash; }

RowSource::RowSource(const Source& source, Group group, std::uint64_t id)
    : source_(source), group_(group), id_(id), whole_id_(id), namespaces_(source.namespaces()) {
  for (NetnsInfo& netns : namespaces_) {
    if (unattributed_id(netns) != id) netns.unattributed = netns.unattributed_previous = Counters{};
  }
  if (group != Group::kPeer) return;
  // The processes of a peer's row have a row of their own, without the peer.
  source.visit_peers([this](const Fact& fact) {
    if (row_id(fact, Group::kPeer) != id_) return;
    RowKey whole = key_of(fact, Group::kPeer);
    whole.peer = nullptr;
    whole_id_ = hash_of(whole);
  });
}

void RowSource::visit(const FactVisitor& visitor) const {
  source_.visit([&](const Fact& fact) {
    if (row_id(fact, group_) == whole_id_) visitor(fact);
  });
}

void RowSource::visit_peers(const FactVisitor& visitor) const {
  source_.visit_peers([&](const Fact& fact) {
    if (row_id(fact, group_) == id_) visitor(fact);
  });
}

std::vector<Row> build_rows(const Source& source, const View& view, double interval_s, std::uint64_t& hidden) {
  const std::vector<NetnsInfo>& namespaces = source.namespaces();
  NetnsById netns_by_id;
  for (const NetnsInfo& netns : namespaces) netns_by_id.emplace(netns.id, &netns);
  const bool no_remainders = hides_remainders(view.filter);

  Builders builders;
  source.visit([&](const Fact& fact) {
    const auto netns = netns_by_id.find(fact.identity.netns);
    if (netns == netns_by_id.end() || (fact.kind != RowKind::kNormal && no_remainders)) return;
    if (!view.filter.accepts(fact.identity, netns->second->inum)) return;
    builders[key_of(fact, view.group)].add(fact);
  });
  if (view.group == Group::kPeer) split_by_peer(builders, source, view, netns_by_id);

  std::vector<Row> rows;
  rows.reserve(builders.size());
  for (auto& [key, builder] : builders) {
    rows.push_back(finish(key, builder, *netns_by_id.at(key.who->netns), interval_s));
  }
  for (const NetnsInfo& netns : namespaces) {
    const bool wanted = !view.filter.netns || *view.filter.netns == netns.inum;
    if (wanted && !no_remainders && netns.unattributed != Counters{})
      rows.push_back(unattributed_row(netns, interval_s));
  }
  sort_rows(rows, view.sort, view.reverse);
  hidden = view.max_rows != 0 && rows.size() > view.max_rows ? rows.size() - view.max_rows : 0;
  rows.resize(rows.size() - hidden);
  return rows;
}

}  // namespace twtrace::model
