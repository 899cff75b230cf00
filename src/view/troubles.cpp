// SPDX-License-Identifier: Apache-2.0
#include "view/troubles.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "model/fill.hpp"
#include "view/parties.hpp"

namespace twtrace::view {
namespace {

using model::Party;
using model::Trouble;

double refused_now(const SortItem& row) { return row.overflow_per_s; }
double refused_ever(const SortItem& row) { return static_cast<double>(row.overflow); }
double unconnected_now(const SortItem& row) { return row.no_port_per_s; }
double unconnected_ever(const SortItem& row) { return static_cast<double>(row.no_port); }
double unbound_now(const SortItem& row) { return row.no_port_bind_per_s; }
double unbound_ever(const SortItem& row) { return static_cast<double>(row.no_port_bind); }

Trouble trouble_in(const model::NetnsRow& netns, Trouble::Kind kind) {
  Trouble trouble;
  trouble.kind = kind;
  trouble.netns = netns.netns;
  trouble.netns_id = netns.id;
  trouble.netns_name = netns.name;
  return trouble;
}

void add_holder(Trouble& trouble, const model::NetnsRow& netns, Parties& parties) {
  if (netns.in_use.value_or(0) == 0) return;
  std::optional<Party> holder = parties.holder(netns.id);
  if (const std::uint64_t before = netns.pre_existing.value_or(0); before > (holder ? holder->buckets : 0)) {
    holder = Party{};
    holder->before_start = true;
    holder->buckets = before;
    trouble.older = parties.older_buckets(netns.id);
  }
  if (!holder) return;
  // Buckets come and go between the reading of the gauge and that of the rows.
  holder->share = std::min(1.0, static_cast<double>(holder->buckets) / static_cast<double>(*netns.in_use));
  trouble.holder = std::move(holder);
}

/// The client that took the ports of the destination, unless most were taken before the start.
void add_client(Trouble& trouble, Parties& parties) {
  trouble.holder = parties.client_of(trouble.netns_id, *trouble.destination);
  trouble.older = parties.older_buckets_to(trouble.netns_id, trouble.destination->port);
  // Other addresses may have the same port.
  if (trouble.older) {
    trouble.older->buckets =
        parties.older_towards(trouble.netns_id, *trouble.destination).value_or(trouble.older->buckets);
    if (trouble.older->buckets == 0) trouble.older.reset();
  }
  if (!trouble.older || !trouble.holder) return;
  if (trouble.holder->buckets < trouble.older->buckets) {
    trouble.holder.reset();
  } else {
    trouble.older.reset();
  }
}

std::optional<Trouble> table_trouble(const model::NetnsRow& netns, Parties& parties) {
  const bool now = netns.overflow_per_s > 0;
  const bool full = !netns.gone && model::is_full(netns.in_use, netns.limit);
  if (!now && !full && netns.counts.overflow() == 0) return {};
  Trouble trouble = trouble_in(netns, now || full ? Trouble::Kind::kFull : Trouble::Kind::kRefused);
  if (netns.in_use && netns.limit) trouble.use = model::Use{*netns.in_use, *netns.limit};
  trouble.refused_per_s = netns.overflow_per_s;
  if (trouble.kind == Trouble::Kind::kFull) add_holder(trouble, netns, parties);
  if (now) {
    trouble.refused = parties.most(netns.id, refused_now);
    if (trouble.refused) trouble.refused->per_s = trouble.refused->share * netns.overflow_per_s;
  } else if (netns.counts.overflow() != 0) {
    trouble.refused = parties.most(netns.id, refused_ever);
  }
  return trouble;
}

bool is_trouble(const model::ListenQueue& queue, Connects connects) {
  if (connects == Connects::kEver) return queue.drops != 0;
  return queue.drops_per_s > 0 || queue.queue.taken > queue.queue.of;
}

void add_queues(const model::NetnsRow& netns, const model::Snapshot& head, Connects connects, Parties& parties,
                std::vector<Trouble>& troubles) {
  if (!head.queues) return;
  for (const model::ListenQueue& queue : *head.queues) {
    if (queue.netns_id != netns.id || !is_trouble(queue, connects)) continue;
    Trouble trouble = trouble_in(netns, Trouble::Kind::kQueue);
    trouble.use = queue.queue;
    trouble.queue = queue;
    if (connects == Connects::kEver) trouble.queue->drops_per_s = 0;
    trouble.holder = parties.owner_of(queue);
    troubles.push_back(std::move(trouble));
  }
}

/// The destinations of a namespace whose ports were counted.
std::vector<const model::PortUse*> port_use_of(const model::Snapshot& head, const model::NetnsRow& netns) {
  std::vector<const model::PortUse*> found;
  if (!head.port_use) return found;
  for (const model::PortUse& use : *head.port_use) {
    // An old capture has no ids.
    if (use.netns_id ? *use.netns_id == netns.id : use.netns == netns.netns) found.push_back(&use);
  }
  return found;
}

const model::PortUse* pool_of(const model::Snapshot& head, const model::NetnsRow& netns) {
  for (const model::PortUse* use : port_use_of(head, netns)) {
    if (use->is_pool()) return use;
  }
  return nullptr;
}

/// Of a destination that nobody is connected to, what bind() has taken from all of them.
const model::PortUse* use_of_ports(const model::Snapshot& head, const model::NetnsRow& netns,
                                   const model::Peer& destination) {
  for (const model::PortUse* use : port_use_of(head, netns)) {
    if (!use->is_pool() && use->destination == destination) return use;
  }
  return pool_of(head, netns);
}

void set_use(Trouble& trouble, const model::PortUse& use) {
  trouble.use = use.for_connect();
  trouble.own_ports = use.own;
}

/// The destinations of a namespace to which connect() found no port: each is a trouble, or part of one in `troubles`,
/// where those of the namespace begin at `first`.
void add_unconnected(const model::NetnsRow& netns, const model::Snapshot& head, Connects connects, Parties& parties,
                     std::vector<Trouble>& troubles, std::size_t first) {
  constexpr std::size_t kMostPorts = 4;
  auto ports = parties.unconnected_ports(netns.id);
  ports.resize(std::min(ports.size(), kMostPorts));
  for (const auto& [port, failed] : ports) {
    const model::Peer destination = parties.destination_on(netns.id, port);
    const auto begin = troubles.begin() + static_cast<std::ptrdiff_t>(first);
    auto known = std::find_if(begin, troubles.end(), [&](const Trouble& trouble) {
      return trouble.destination && trouble.destination->port == destination.port &&
             (destination.address.empty() || *trouble.destination == destination);
    });
    if (known == troubles.end()) {
      known = troubles.insert(known, trouble_in(netns, Trouble::Kind::kPorts));
      known->destination = destination;
      if (const model::PortUse* use = use_of_ports(head, netns, destination); use != nullptr) set_use(*known, *use);
      add_client(*known, parties);
    }
    known->unconnected = parties.unconnected_to(netns.id, port);
    if (connects == Connects::kEver) continue;  // how many is among the party's numbers
    known->no_port_per_s = failed;
    if (!known->unconnected) continue;
    known->unconnected->per_s = known->unconnected->share * failed;
    known->unconnected->buckets = 0;
  }
}

/// The binds of a namespace that found no port are a trouble of their own: they have no destination.
void add_unbound(const model::NetnsRow& netns, const model::Snapshot& head, Connects connects, Parties& parties,
                 std::vector<Trouble>& troubles) {
  auto [party, failed] = parties.unbound(netns.id);
  if (failed <= 0) return;
  Trouble trouble = trouble_in(netns, Trouble::Kind::kPorts);
  trouble.unconnected = std::move(party);
  if (const model::PortUse* pool = pool_of(head, netns); pool != nullptr) trouble.use = pool->ports;
  if (connects == Connects::kNow) {
    trouble.no_port_per_s = failed;
    if (trouble.unconnected) {
      trouble.unconnected->per_s = trouble.unconnected->share * failed;
      trouble.unconnected->buckets = 0;
    }
  }
  troubles.push_back(std::move(trouble));
}

/// bind() has taken nearly all ports of a namespace for sockets that are connected to nothing: as a rule a destination
/// shows it, but here there is none.
void add_bound(const model::NetnsRow& netns, const model::Snapshot& head, std::vector<Trouble>& troubles,
               std::size_t first) {
  const model::PortUse* const pool = pool_of(head, netns);
  if (pool == nullptr) return;
  const model::Use use = pool->for_connect();
  const bool told = std::any_of(troubles.begin() + static_cast<std::ptrdiff_t>(first), troubles.end(),
                                [](const Trouble& trouble) { return trouble.kind == Trouble::Kind::kPorts; });
  if (told || !model::is_nearly_full(use.taken, use.of)) return;
  Trouble trouble = trouble_in(netns, Trouble::Kind::kPorts);
  trouble.use = use;
  troubles.push_back(std::move(trouble));
}

/// The worst first.
bool is_worse(const Trouble& left, const Trouble& right) {
  const auto rank = [](const Trouble& trouble) {
    const double taken = trouble.use ? static_cast<double>(trouble.use->taken) : 0;
    const double dropped = trouble.queue ? trouble.queue->drops_per_s : 0;
    return std::tuple(-trouble.refused_per_s - trouble.no_port_per_s - dropped, static_cast<int>(trouble.kind), -taken);
  };
  return rank(left) < rank(right);
}

}  // namespace

std::vector<Trouble> find_troubles(const model::Source& source, const model::Snapshot& head, const Selector& namespaces,
                                   Connects connects) {
  const Selector chosen = namespaces.only(Key::kNetns);
  const bool now = connects == Connects::kNow;
  Parties parties(source, head, now ? unconnected_now : unconnected_ever, now ? unbound_now : unbound_ever);
  std::vector<Trouble> troubles;
  for (const model::NetnsRow& netns : head.namespaces) {
    if (!chosen.accepts(subject_of(netns))) continue;
    const std::size_t first = troubles.size();
    if (auto trouble = table_trouble(netns, parties)) troubles.push_back(*std::move(trouble));
    add_queues(netns, head, connects, parties, troubles);
    for (const model::PortUse* use : port_use_of(head, netns)) {
      if (use->is_pool() || !model::is_nearly_full(use->ports.taken, use->ports.of)) continue;
      Trouble trouble = trouble_in(netns, Trouble::Kind::kPorts);
      set_use(trouble, *use);
      trouble.destination = use->destination;
      add_client(trouble, parties);
      troubles.push_back(std::move(trouble));
    }
    if (netns.counts.no_port_connect() != 0) add_unconnected(netns, head, connects, parties, troubles, first);
    if (netns.counts.no_port_bind != 0) add_unbound(netns, head, connects, parties, troubles);
    add_bound(netns, head, troubles, first);
  }
  std::stable_sort(troubles.begin(), troubles.end(), is_worse);
  return troubles;
}

}  // namespace twtrace::view
