// SPDX-License-Identifier: Apache-2.0
#include "trace/before_start.hpp"

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

std::uint64_t sum_of(std::uint64_t count) { return count; }

std::uint64_t sum_of(const Remotes& remotes) {
  std::uint64_t sum = 0;
  for (const auto& [remote, count] : remotes) sum += count;
  return sum;
}

/// If there are more than TW_MAX_PORTS parts, takes out those with at most 1/TW_MAX_PORTS of the buckets. Returns how
/// many buckets those have.
template <typename Key, typename Part>
std::uint64_t take_out_small(std::map<Key, Part>& parts) {
  if (parts.size() <= TW_MAX_PORTS) return 0;
  std::uint64_t total = 0;
  for (const auto& [key, part] : parts) total += sum_of(part);
  std::uint64_t taken = 0;
  std::erase_if(parts, [&](const auto& part) {
    const std::uint64_t sum = sum_of(part.second);
    const bool is_small = sum <= total / TW_MAX_PORTS;
    if (is_small) taken += sum;
    return is_small;
  });
  return taken;
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

/// The only service that connects to each port of each namespace; empty if there are several.
class Clients {
 public:
  explicit Clients(const model::RowTable& rows) {
    rows.for_each([this](const model::Entry& entry, model::RowKind kind) {
      const model::Identity& who = entry.identity;
      if (kind != model::RowKind::kNormal || who.role != model::Role::kClient || who.service.name.empty()) return;
      const auto [known, is_new] = services_.try_emplace({who.netns, who.port}, who.service);
      if (!is_new && !base::is_same(known->second, who.service)) known->second = base::Service{};
    });
  }

  base::Service of(std::uint32_t netns, std::uint16_t port) const {
    const auto found = services_.find({netns, port});
    return found == services_.end() ? base::Service{} : found->second;
  }

 private:
  std::map<std::pair<std::uint32_t, std::uint16_t>, base::Service> services_;
};

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
  std::map<Place, Ports> places;
  for (const loader::OlderBuckets& buckets : older) {
    const Place place{buckets.remote.netns_id, buckets.role, buckets.remote.family};
    places[place][buckets.port][buckets.remote.address] += buckets.count;
  }
  const Clients clients(rows);
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
  for (auto& [place, ports] : places) {
    const auto netns = names.netns(place.netns_id);
    if (!netns) continue;
    if (const std::uint64_t shared = take_out_small(ports); shared != 0) add_row(place, *netns, TW_PORT_MANY, shared);
    for (auto& [port, remotes] : ports) {
      const model::Identity who = add_row(place, *netns, port, sum_of(remotes));
      take_out_small(remotes);
      for (const auto& [address, count] : remotes) result.peers[{who, peer_of(place, port, address)}] = count;
    }
  }
  return result;
}

}  // namespace twtrace::trace
