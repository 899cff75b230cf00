// SPDX-License-Identifier: Apache-2.0
#include "trace/before_start.hpp"

#include <unordered_map>

#include "model/address.hpp"

namespace twtrace::trace {
namespace {

/// Where a row is.
struct Place {
  std::uint64_t netns_id = 0;
  std::uint8_t role = 0;
  std::uint8_t family = 0;
  auto operator<=>(const Place&) const = default;
};

using Address = std::array<std::uint8_t, 16>;
using Remotes = std::map<Address, std::uint64_t>;  ///< buckets
using Ports = std::map<std::uint16_t, Remotes>;
using PortSums = std::unordered_map<std::uint16_t, std::uint64_t>;  ///< buckets by port

/// If there are more than TW_MAX_PORTS parts, takes out those with at most 1/TW_MAX_PORTS of the buckets. Returns how
/// many buckets those have.
template <typename Sums>
std::uint64_t take_out_small(Sums& sums) {
  if (sums.size() <= TW_MAX_PORTS) return 0;
  std::uint64_t total = 0;
  for (const auto& [key, sum] : sums) total += sum;
  std::uint64_t taken = 0;
  std::erase_if(sums, [&](const auto& part) {
    const bool is_small = part.second <= total / TW_MAX_PORTS;
    if (is_small) taken += part.second;
    return is_small;
  });
  return taken;
}

/// The rows of a place: the ports with a row of their own, and the buckets of all others together.
struct PlaceRows {
  std::uint64_t shared = 0;
  PortSums sums;
  Ports ports;
};
using Places = std::map<Place, PlaceRows>;

/// There may be as many ports as buckets, most of which share a row. So the remote ends are only those of the others.
Places places_of(const std::vector<loader::OlderBuckets>& older) {
  const auto place_of = [](const loader::OlderBuckets& buckets) {
    return Place{buckets.remote.netns_id, buckets.role, buckets.remote.family};
  };
  Places places;
  for (const loader::OlderBuckets& buckets : older) places[place_of(buckets)].sums[buckets.port] += buckets.count;
  for (auto& [place, rows] : places) rows.shared = take_out_small(rows.sums);
  for (const loader::OlderBuckets& buckets : older) {
    PlaceRows& rows = places.at(place_of(buckets));
    if (rows.sums.contains(buckets.port)) rows.ports[buckets.port][buckets.remote.address] += buckets.count;
  }
  return places;
}

model::Peer peer_of(const Place& place, std::uint16_t port, const Address& address) {
  model::Peer peer{model::format_address(place.family == TW_FAMILY_IPV6, address), {}};
  if (place.role == TW_ROLE_CLIENT) peer.port = port;
  return peer;
}

model::Identity identity_of(const Place& place, std::uint32_t netns, std::uint16_t port) {
  model::Identity who;
  who.netns = netns;
  who.role = place.role == TW_ROLE_SERVER ? model::Role::kServer : model::Role::kClient;
  who.port = port;
  who.ipv6 = place.family == TW_FAMILY_IPV6;
  who.attribution = model::Attribution::kNone;
  return who;
}

/// The only service that connects to each of some ports.
class Clients {
 public:
  /// To be called before find(), for every port that of() is asked about.
  void want(std::uint32_t netns, std::uint16_t port) { known_.try_emplace({netns, port}); }

  /// `rows` must outlive this. There may be far more of them than of ports that somebody wants.
  void find(const model::RowTable& rows) {
    rows.for_each([this](const model::Entry& entry, model::RowKind kind) {
      const model::Identity& who = entry.identity;
      if (kind != model::RowKind::kNormal || who.role != model::Role::kClient || who.service.name.empty()) return;
      const auto wanted = known_.find({who.netns, who.port});
      if (wanted == known_.end()) return;
      Known& known = wanted->second;
      if (known.first == nullptr) known.first = &who.service;
      known.differ = known.differ || !base::is_same(*known.first, who.service);
    });
  }

  /// Empty if there are several services, or none.
  base::Service of(std::uint32_t netns, std::uint16_t port) const {
    const Known& known = known_.at({netns, port});
    return known.first == nullptr || known.differ ? base::Service{} : *known.first;
  }

 private:
  struct Known {
    const base::Service* first = nullptr;
    bool differ = false;
  };
  std::map<std::pair<std::uint32_t, std::uint16_t>, Known> known_;
};

/// Those that connect where these rows are.
Clients clients_of(const Places& places, const model::RowTable& table, const BeforeStartNames& names) {
  Clients clients;
  for (const auto& [place, rows] : places) {
    const auto netns = names.netns(place.netns_id);
    if (place.role != TW_ROLE_CLIENT || !netns) continue;
    clients.want(*netns, TW_PORT_MANY);
    for (const auto& [port, remotes] : rows.ports) clients.want(*netns, port);
  }
  clients.find(table);
  return clients;
}

}  // namespace

Listeners::Listeners(std::span<const tw_listener_reading> readings) {
  for (const tw_listener_reading& reading : readings) {
    cgroups_[{reading.netns_id, reading.port}].insert(reading.cgroup_id);
  }
}

std::optional<std::uint64_t> Listeners::cgroup(std::uint64_t netns_id, std::uint16_t port) const {
  const auto found = cgroups_.find({netns_id, port});
  if (found == cgroups_.end() || found->second.size() != 1) return std::nullopt;
  return *found->second.begin();
}

BeforeStart before_start(const std::vector<loader::OlderBuckets>& older, const Listeners& listeners,
                         const model::RowTable& rows, const BeforeStartNames& names) {
  BeforeStart result;
  if (older.empty()) return result;
  Places places = places_of(older);
  const Clients clients = clients_of(places, rows, names);
  const auto service_of = [&](const Place& place, std::uint32_t netns, std::uint16_t port) {
    if (place.role == TW_ROLE_CLIENT) return clients.of(netns, port);
    const auto cgroup = listeners.cgroup(place.netns_id, port);
    return cgroup ? names.service(*cgroup) : base::Service{};
  };
  const auto add_row = [&](const Place& place, std::uint32_t netns, std::uint16_t port, std::uint64_t buckets) {
    model::Entry& row = result.rows.emplace_back();
    row.identity = identity_of(place, netns, port);
    row.identity.service = service_of(place, netns, port);
    row.live = buckets;
    return row.identity;
  };
  for (auto& [place, of_place] : places) {
    const auto netns = names.netns(place.netns_id);
    if (!netns) continue;
    if (of_place.shared != 0) add_row(place, *netns, TW_PORT_MANY, of_place.shared);
    for (auto& [port, remotes] : of_place.ports) {
      const model::Identity who = add_row(place, *netns, port, of_place.sums.at(port));
      take_out_small(remotes);
      for (const auto& [address, count] : remotes) result.peers[{who, peer_of(place, port, address)}] = count;
    }
  }
  return result;
}

}  // namespace twtrace::trace
