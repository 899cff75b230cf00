// SPDX-License-Identifier: Apache-2.0
#include "view/parties.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace twtrace::view {
namespace {

using model::Party;

double held(const SortItem& row) { return static_cast<double>(row.live.value_or(0)); }
double dropped_ever(const SortItem& row) { return static_cast<double>(row.queue_drops); }
double created(const SortItem& row) { return static_cast<double>(row.created); }

/// Processes outside of every service have the root of the cgroup tree, or no cgroup at all.
bool is_named(const base::Service& service) { return !service.name.empty() && service.name != "/"; }

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

/// All rows of one service, or of one program outside of every service.
struct Sum {
  double amount = 0;
  const SortItem* first = nullptr;  ///< the row with the largest part
};
struct Sums {
  std::unordered_map<const base::Service*, Sum, base::ServiceHash, base::SameService> by_service;
  std::unordered_map<std::string_view, Sum> by_comm;
};

/// Of equals always the same one is more, so that its name does not flicker.
bool is_more(double amount, const SortItem& row, double than, const SortItem& than_row) {
  return amount > than || (amount == than && RowOrder{}(row, than_row));
}

void add(Sums& sums, const SortItem& row, Measure measure) {
  Sum& sum = is_named(*row.service) ? sums.by_service[row.service] : sums.by_comm[*row.comm];
  sum.amount += measure(row);
  if (sum.first == nullptr || is_more(measure(row), row, measure(*sum.first), *sum.first)) sum.first = &row;
}

}  // namespace

Parties::Parties(const model::Source& source, const model::Snapshot& head, Measure connect_failures,
                 Measure bind_failures)
    : source_(source),
      namespaces_(head.namespaces),
      interval_s_(head.interval_s),
      unconnected_(connect_failures),
      unbound_(bind_failures) {}

std::optional<Party> Parties::most(std::uint32_t netns_id, Measure measure) {
  return most_of({&processes().of(netns_id)}, measure, [](const SortItem&) { return true; });
}

std::optional<Party> Parties::holder(std::uint32_t netns_id) { return most(netns_id, held); }

std::optional<Party> Parties::client_of(std::uint32_t netns_id, const model::Peer& destination) {
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

Party Parties::owner_of(const model::ListenQueue& queue) {
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

std::optional<model::OlderBuckets> Parties::older_buckets(std::uint32_t netns_id) {
  return older_of(processes().of(netns_id), [](const SortItem&) { return true; });
}

std::optional<model::OlderBuckets> Parties::older_buckets_to(std::uint32_t netns_id,
                                                             std::optional<std::uint16_t> port) {
  const auto [known, is_new] = older_by_port_.try_emplace({netns_id, port});
  if (is_new) {
    known->second =
        older_of(processes().of(netns_id, port), [](const SortItem& row) { return row.role == model::Role::kClient; });
  }
  return known->second;
}

std::optional<std::uint64_t> Parties::older_towards(std::uint32_t netns_id, const model::Peer& destination) {
  std::optional<std::uint64_t> sum;
  for (const SortItem* row : peers().with(netns_id, destination)) {
    if (row->kind != model::RowKind::kBeforeStart || row->role != model::Role::kClient) continue;
    if (row->netns_id != netns_id || row->peer == nullptr || *row->peer != destination) continue;
    sum = sum.value_or(0) + row->live.value_or(0);
  }
  return sum;
}

std::vector<std::pair<std::uint16_t, double>> Parties::unconnected_ports(std::uint32_t netns_id) {
  std::map<std::uint16_t, double> by_port;
  for (const SortItem* row : processes().of(netns_id)) {
    if (unconnected_(*row) > 0) by_port[row->port.value_or(0)] += unconnected_(*row);
  }
  std::vector<std::pair<std::uint16_t, double>> ports(by_port.begin(), by_port.end());
  std::stable_sort(ports.begin(), ports.end(),
                   [](const auto& left, const auto& right) { return left.second > right.second; });
  return ports;
}

std::optional<Party> Parties::unconnected_to(std::uint32_t netns_id, std::uint16_t port) {
  return most_of({&processes().of(netns_id, port)}, unconnected_, [](const SortItem&) { return true; });
}

model::Peer Parties::destination_on(std::uint32_t netns_id, std::uint16_t port) {
  const SortItem* most = nullptr;
  for (const SortItem* row : peers().of(netns_id)) {
    if (row->peer == nullptr || unconnected_(*row) <= 0) continue;
    if (port != 0 && row->peer->port != port) continue;
    if (most == nullptr || is_more(unconnected_(*row), *row, unconnected_(*most), *most)) most = row;
  }
  if (most != nullptr) return *most->peer;
  return {{}, port == 0 ? std::nullopt : std::optional(port)};
}

std::pair<std::optional<Party>, double> Parties::unbound(std::uint32_t netns_id) {
  double all = 0;
  for (const SortItem* row : processes().of(netns_id)) all += unbound_(*row);
  return {most(netns_id, unbound_), all};
}

RowFinder& Parties::rows(std::optional<RowFinder>& made, model::Group group) {
  if (made) return *made;
  if (namespaces_.size() < source_.namespaces().size()) {
    made.emplace(OfNamespaces(source_, namespaces_), group, interval_s_);
  } else {
    made.emplace(source_, group, interval_s_);
  }
  return *made;
}

/// As rows of all namespaces show it.
std::string Parties::shown(const base::Service& service) {
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
std::optional<model::OlderBuckets> Parties::older_of(const Items& items, const Takes& takes) {
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
std::optional<Party> Parties::most_of(std::initializer_list<const Items*> some, Measure measure, const Takes& takes) {
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

}  // namespace twtrace::view
