// SPDX-License-Identifier: Apache-2.0
#include "view/troubles.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "model/fill.hpp"
#include "view/row_list.hpp"
#include "view/service_names.hpp"
#include "view/view.hpp"

namespace twtrace::view {
namespace {

using model::Party;
using model::Trouble;

using Measure = double (*)(const SortItem&);
double held(const SortItem& row) { return static_cast<double>(row.live.value_or(0)); }
double refused_now(const SortItem& row) { return row.overflow_per_s; }
double refused_ever(const SortItem& row) { return static_cast<double>(row.overflow); }
double unconnected_now(const SortItem& row) { return row.no_port_per_s; }
double unconnected_ever(const SortItem& row) { return static_cast<double>(row.no_port); }
double unbound_now(const SortItem& row) { return row.no_port_bind_per_s; }
double unbound_ever(const SortItem& row) { return static_cast<double>(row.no_port_bind); }
double dropped_ever(const SortItem& row) { return static_cast<double>(row.queue_drops); }
double created(const SortItem& row) { return static_cast<double>(row.created); }

/// Processes outside of every service have the root of the cgroup tree, or no cgroup at all.
bool is_named(const base::Service& service) { return !service.name.empty() && service.name != "/"; }

using Items = std::vector<const SortItem*>;

/// Finds rows by what they have in common. A file may have a hundred thousand namespaces, destinations or queues, and
/// none of them may cost a look at all rows. Different keys may share a place, so whoever looks checks the rows.
class Index {
 public:
  /// `key_of` says where a row goes.
  template <class KeyOf>
  Index(const RowList& list, const KeyOf& key_of) {
    for (const SortItem& row : list.items()) items_[key_of(row)].push_back(&row);
  }

  const Items& at(std::uint64_t key) const {
    static const Items kNone;
    const auto found = items_.find(key);
    return found == items_.end() ? kNone : found->second;
  }

 private:
  std::unordered_map<std::uint64_t, Items> items_;
};

std::uint64_t port_key(std::uint32_t netns_id, const std::optional<std::uint16_t>& port) {
  return std::uint64_t{netns_id} << 16U | port.value_or(0);
}

std::uint64_t peer_key(std::uint32_t netns_id, const model::Peer& peer) {
  return std::hash<std::string_view>()(peer.address) ^ port_key(netns_id, peer.port);
}

std::uint64_t server_key(std::uint32_t netns_id, std::uint16_t port, std::string_view comm, std::size_t service_hash) {
  return std::hash<std::string_view>()(comm) ^ service_hash ^ port_key(netns_id, port);
}

/// The facts of the namespaces of a head. A report looks at few namespaces at a time.
class OfNamespaces final : public model::Source {
 public:
  OfNamespaces(const model::Source& source, const std::vector<model::NetnsRow>& namespaces) : source_(source) {
    for (const model::NetnsRow& netns : namespaces) ids_.insert(netns.id);
    for (const model::NetnsInfo& netns : source.namespaces()) {
      if (ids_.contains(netns.id)) namespaces_.push_back(netns);
    }
  }

  void visit(const model::FactVisitor& visitor) const override {
    source_.visit([&](const model::Fact& fact) {
      if (ids_.contains(fact.identity.netns)) visitor(fact);
    });
  }
  void visit_peers(const model::FactVisitor& visitor) const override {
    source_.visit_peers([&](const model::Fact& fact) {
      if (ids_.contains(fact.identity.netns)) visitor(fact);
    });
  }
  const std::vector<model::NetnsInfo>& namespaces() const override { return namespaces_; }

 private:
  const model::Source& source_;
  std::unordered_set<std::uint32_t> ids_;
  std::vector<model::NetnsInfo> namespaces_;
};

/// The rows of one group, and ways to find them, each made when it is first needed.
class Rows {
 public:
  Rows(const model::Source& source, model::Group group, double interval_s) : list_(make(source, group, interval_s)) {}

  const Items& of(std::uint32_t netns_id) {
    return made(by_netns_, [](const SortItem& row) { return row.netns_id; }).at(netns_id);
  }
  /// Those that stand for many ports have none.
  const Items& of(std::uint32_t netns_id, std::optional<std::uint16_t> port) {
    return made(by_port_, [](const SortItem& row) { return port_key(row.netns_id, row.port); })
        .at(port_key(netns_id, port));
  }
  const Items& with(std::uint32_t netns_id, const model::Peer& peer) {
    return made(by_peer_,
                [](const SortItem& row) {
                  return row.peer == nullptr ? std::uint64_t{row.netns_id} : peer_key(row.netns_id, *row.peer);
                })
        .at(peer_key(netns_id, peer));
  }
  const Items& serving(const model::ListenQueue& queue) {
    return made(by_server_,
                [](const SortItem& row) {
                  return server_key(row.netns_id, row.port.value_or(0), *row.comm, base::ServiceHash()(row.service));
                })
        .at(server_key(queue.netns_id, queue.port, queue.comm, queue.service.hash()));
  }

 private:
  static RowList make(const model::Source& source, model::Group group, double interval_s) {
    View view;
    view.group = group;
    return {source, view, interval_s};
  }

  template <class KeyOf>
  const Index& made(std::optional<Index>& index, const KeyOf& key_of) {
    if (!index) index.emplace(list_, key_of);
    return *index;
  }

  RowList list_;
  std::optional<Index> by_netns_, by_port_, by_peer_, by_server_;
};

/// Who has the most of something. Rows are made when the first trouble asks for them. Keeps a reference; not
/// thread-safe.
class Parties {
 public:
  Parties(const model::Source& source, const model::Snapshot& head, Connects connects)
      : source_(source),
        namespaces_(head.namespaces),
        interval_s_(head.interval_s),
        unconnected_(connects == Connects::kNow ? unconnected_now : unconnected_ever),
        unbound_(connects == Connects::kNow ? unbound_now : unbound_ever) {}

  std::optional<Party> most(std::uint32_t netns_id, Measure measure) {
    return most_of({&processes().of(netns_id)}, measure, [](const SortItem&) { return true; });
  }
  /// The client of a destination that made the most buckets there.
  std::optional<Party> client_of(std::uint32_t netns_id, const model::Peer& destination) {
    const auto is_client = [](const SortItem& row) { return row.role == model::Role::kClient; };
    const auto talks_to_it = [&](const SortItem& row) {
      return row.netns_id == netns_id && is_client(row) && row.peer != nullptr && *row.peer == destination;
    };
    if (auto party = most_of({&peers().with(netns_id, destination)}, created, talks_to_it)) return party;
    // Without peers only the port is known. It tells who it is where one party alone talks to that port.
    const auto [known, is_new] = client_by_port_.try_emplace({netns_id, destination.port});
    if (!is_new) return known->second;
    const Items* const of_many = &processes().of(netns_id, std::nullopt);
    const Items* const of_port = &processes().of(netns_id, destination.port);
    auto party =
        of_many == of_port ? most_of({of_many}, created, is_client) : most_of({of_many, of_port}, created, is_client);
    if (party && party->share >= 1) known->second = std::move(party);
    return known->second;
  }

  /// Where most buckets from before the start were in a namespace.
  std::optional<model::OlderBuckets> older_buckets(std::uint32_t netns_id) {
    return older_of(processes().of(netns_id), [](const SortItem&) { return true; });
  }
  /// The same of those of clients of one port.
  std::optional<model::OlderBuckets> older_buckets_to(std::uint32_t netns_id, std::optional<std::uint16_t> port) {
    const auto [known, is_new] = older_by_port_.try_emplace({netns_id, port});
    if (is_new) {
      known->second = older_of(processes().of(netns_id, port),
                               [](const SortItem& row) { return row.role == model::Role::kClient; });
    }
    return known->second;
  }

  /// How many buckets from before the start clients have towards a destination; empty if only the port is known.
  std::optional<std::uint64_t> older_towards(std::uint32_t netns_id, const model::Peer& destination) {
    std::optional<std::uint64_t> sum;
    for (const SortItem* row : peers().with(netns_id, destination)) {
      if (row->kind != model::RowKind::kBeforeStart || row->role != model::Role::kClient) continue;
      if (row->netns_id != netns_id || row->peer == nullptr || *row->peer != destination) continue;
      sum = sum.value_or(0) + row->live.value_or(0);
    }
    return sum;
  }

  /// Who has a queue.
  Party owner_of(const model::ListenQueue& queue) {
    auto party = most_of({&processes().serving(queue)}, dropped_ever, [&](const SortItem& row) {
      return row.netns_id == queue.netns_id && row.role == model::Role::kServer && row.port.value_or(0) == queue.port &&
             *row.comm == queue.comm && base::is_same(*row.service, *queue.service);
    });
    if (!party) {
      party.emplace();
      party->comm = queue.comm;
      party->name = is_named(*queue.service) ? queue.service->name : queue.comm;
    }
    party->buckets = 0;
    party->share = 1;
    return *party;
  }

  /// The ports to which connect() failed, and how often, most often first. Port 0: the row stands for many.
  std::vector<std::pair<std::uint16_t, double>> unconnected_ports(std::uint32_t netns_id) {
    std::map<std::uint16_t, double> by_port;
    for (const SortItem* row : processes().of(netns_id)) {
      if (unconnected_(*row) > 0) by_port[row->port.value_or(0)] += unconnected_(*row);
    }
    std::vector<std::pair<std::uint16_t, double>> ports(by_port.begin(), by_port.end());
    std::stable_sort(ports.begin(), ports.end(),
                     [](const auto& left, const auto& right) { return left.second > right.second; });
    return ports;
  }
  /// Whose connects to that port failed most often.
  std::optional<Party> unconnected_to(std::uint32_t netns_id, std::uint16_t port) {
    return most_of({&processes().of(netns_id, port)}, unconnected_, [](const SortItem&) { return true; });
  }
  /// Whose binds failed most often, and how often all of them did.
  std::pair<std::optional<Party>, double> unbound(std::uint32_t netns_id) {
    double all = 0;
    for (const SortItem* row : processes().of(netns_id)) all += unbound_(*row);
    return {most(netns_id, unbound_), all};
  }
  /// The destination on that port where most of them failed; without an address if events do not tell.
  model::Peer destination_on(std::uint32_t netns_id, std::uint16_t port) {
    const SortItem* most = nullptr;
    for (const SortItem* row : peers().of(netns_id)) {
      if (row->peer == nullptr || unconnected_(*row) <= 0) continue;
      if (port != 0 && row->peer->port != port) continue;
      if (most == nullptr || is_more(unconnected_(*row), *row, unconnected_(*most), *most)) most = row;
    }
    if (most != nullptr) return *most->peer;
    return {{}, port == 0 ? std::nullopt : std::optional(port)};
  }

 private:
  /// All rows of one service, or of one program outside of every service.
  struct Sum {
    double amount = 0;
    const SortItem* first = nullptr;  ///< the row with the largest part
  };
  struct Sums {
    std::unordered_map<const base::Service*, Sum, base::ServiceHash, base::SameService> by_service;
    std::unordered_map<std::string_view, Sum> by_comm;
  };

  Rows& processes() { return rows(processes_, model::Group::kProcess); }
  Rows& peers() { return rows(peers_, model::Group::kPeer); }
  Rows& rows(std::optional<Rows>& made, model::Group group) {
    if (made) return *made;
    if (namespaces_.size() < source_.namespaces().size()) {
      made.emplace(OfNamespaces(source_, namespaces_), group, interval_s_);
    } else {
      made.emplace(source_, group, interval_s_);
    }
    return *made;
  }

  /// As rows of all namespaces show it.
  std::string shown(const base::Service& service) {
    constexpr int kMostLooks = 4;  // each costs less than labels of all services do
    if (!labels_ && looks_++ < kMostLooks) {
      ServiceLabel label(service);
      source_.visit([&](const model::Fact& fact) { label.compare(fact.identity.service); });
      return label.label();
    }
    if (!labels_) {
      labels_.emplace();
      source_.visit([this](const model::Fact& fact) { labels_->add(fact.identity.service); });
    }
    return labels_->label(service);
  }

  /// Of the rows of buckets from before the start that `takes` accepts, the one with the most.
  template <class Takes>
  std::optional<model::OlderBuckets> older_of(const Items& items, const Takes& takes) {
    const SortItem* most = nullptr;
    for (const SortItem* row : items) {
      if (row->kind != model::RowKind::kBeforeStart || !row->role || !takes(*row)) continue;
      if (held(*row) > 0 && (most == nullptr || is_more(held(*row), *row, held(*most), *most))) most = row;
    }
    if (most == nullptr) return {};
    return model::OlderBuckets{*most->role, most->port.value_or(0), most->live.value_or(0),
                               is_named(*most->service) ? shown(*most->service) : ""};
  }

  template <class Takes>
  std::optional<Party> most_of(std::initializer_list<const Items*> some, Measure measure, const Takes& takes) {
    Sums sums;
    double total = 0;
    for (const Items* items : some) {
      for (const SortItem* row : *items) {
        if (!takes(*row)) continue;
        total += measure(*row);
        if (row->kind == model::RowKind::kNormal && measure(*row) > 0) add(sums, *row, measure);
      }
    }
    const Sum* most = nullptr;
    const auto compare = [&most](const auto& all) {
      for (const auto& [key, sum] : all) {
        if (most == nullptr || is_more(sum.amount, *sum.first, most->amount, *most->first)) most = &sum;
      }
    };
    compare(sums.by_service);
    compare(sums.by_comm);
    if (most == nullptr) return {};
    Party party;
    party.comm = *most->first->comm;
    party.name = is_named(*most->first->service) ? shown(*most->first->service) : party.comm;
    party.buckets = static_cast<std::uint64_t>(most->amount);
    party.share = most->amount / total;
    return party;
  }

  static void add(Sums& sums, const SortItem& row, Measure measure) {
    Sum& sum = is_named(*row.service) ? sums.by_service[row.service] : sums.by_comm[*row.comm];
    sum.amount += measure(row);
    if (sum.first == nullptr || is_more(measure(row), row, measure(*sum.first), *sum.first)) sum.first = &row;
  }

  /// Of equals always the same one is more, so that its name does not flicker.
  static bool is_more(double amount, const SortItem& row, double than, const SortItem& than_row) {
    return amount > than || (amount == than && RowOrder{}(row, than_row));
  }

  const model::Source& source_;
  const std::vector<model::NetnsRow>& namespaces_;
  double interval_s_;
  std::optional<ServiceLabels> labels_;
  int looks_ = 0;        ///< for one label each
  Measure unconnected_;  ///< connects that found no local port
  Measure unbound_;      ///< binds that found none
  std::optional<Rows> processes_;
  std::optional<Rows> peers_;
  /// Many destinations of a namespace may have one port, and many rows.
  using NetnsPort = std::pair<std::uint32_t, std::optional<std::uint16_t>>;
  std::map<NetnsPort, std::optional<Party>> client_by_port_;
  std::map<NetnsPort, std::optional<model::OlderBuckets>> older_by_port_;
};

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
  std::optional<Party> holder = parties.most(netns.id, held);
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
  Parties parties(source, head, connects);
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
