// SPDX-License-Identifier: Apache-2.0
#include "trace/before_start.hpp"

namespace twtrace::trace {
namespace {

/// Where a row is.
struct Place {
  std::uint64_t netns_id = 0;
  std::uint8_t role = 0;
  std::uint8_t family = 0;
  auto operator<=>(const Place&) const = default;
};

using Ports = std::map<std::uint16_t, std::uint64_t>;  ///< buckets

/// If there are more than TW_MAX_PORTS ports, those with at most 1/TW_MAX_PORTS of the buckets share one entry.
void share_small_ports(Ports& ports) {
  if (ports.size() <= TW_MAX_PORTS) return;
  std::uint64_t total = 0;
  for (const auto& [port, count] : ports) total += count;
  std::uint64_t shared = 0;
  std::erase_if(ports, [&](const auto& port) {
    const bool is_small = port.second <= total / TW_MAX_PORTS;
    if (is_small) shared += port.second;
    return is_small;
  });
  ports[TW_PORT_MANY] += shared;
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

std::vector<model::Entry> before_start_entries(const std::vector<loader::OlderBuckets>& older,
                                               const Listeners& listeners, const model::RowTable& rows,
                                               const BeforeStartNames& names) {
  std::vector<model::Entry> entries;
  if (older.empty()) return entries;
  std::map<Place, Ports> places;
  for (const loader::OlderBuckets& buckets : older) {
    places[{buckets.remote.netns_id, buckets.role, buckets.remote.family}][buckets.port] += buckets.count;
  }
  const Clients clients(rows);
  for (auto& [place, ports] : places) {
    const auto netns = names.netns(place.netns_id);
    if (!netns) continue;
    share_small_ports(ports);
    for (const auto& [port, count] : ports) {
      model::Entry& entry = entries.emplace_back();
      entry.identity.netns = *netns;
      entry.identity.role = place.role == TW_ROLE_SERVER ? model::Role::kServer : model::Role::kClient;
      entry.identity.port = port;
      entry.identity.ipv6 = place.family == TW_FAMILY_IPV6;
      entry.identity.attribution = model::Attribution::kNone;
      entry.live = count;
      if (entry.identity.role == model::Role::kClient) {
        entry.identity.service = clients.of(*netns, port);
      } else if (const auto cgroup = listeners.cgroup(place.netns_id, port)) {
        entry.identity.service = names.service(*cgroup);
      }
    }
  }
  return entries;
}

}  // namespace twtrace::trace
