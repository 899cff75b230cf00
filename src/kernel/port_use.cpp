// SPDX-License-Identifier: Apache-2.0
#include "kernel/port_use.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kPorts = 65536;

/// Every state in which a socket or bucket holds a local port towards a peer. TCP_NEW_SYN_RECV (12) does not: it is of
/// a listener.
constexpr std::uint32_t states_with_a_peer() {
  std::uint32_t states = 0;
  for (unsigned state = TCP_ESTABLISHED; state <= TCP_CLOSING; ++state) {
    if (state != TCP_LISTEN && state != TCP_CLOSE && state != TCP_SYN_RECV) states |= tcp_state_bit(state);
  }
  return states;
}

using Address = std::array<std::uint8_t, 16>;
constexpr std::size_t kMappedPrefix = 12;  // of ::ffff:0:0/96

bool is_v4_mapped(const Address& address) {
  constexpr std::array<std::uint8_t, kMappedPrefix> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

Address v4_of(const Address& mapped) {
  Address address{};
  std::copy(mapped.begin() + kMappedPrefix, mapped.end(), address.begin());
  return address;
}

}  // namespace

EphemeralPorts::EphemeralPorts(std::uint64_t first, std::uint64_t last, std::string_view reserved)
    : usable_(kPorts, false) {
  for (std::uint64_t port = first; port <= last && port < kPorts; ++port) usable_[port] = true;
  // "8080,9148-9150", as proc_do_large_bitmap (kernel/sysctl.c) prints it.
  for (std::string_view rest = trim(reserved); !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view item = rest.substr(0, end);
    const std::size_t dash = std::min(item.find('-'), item.size());
    const auto low = parse_number<std::uint16_t>(item.substr(0, dash));
    const auto high = dash < item.size() ? parse_number<std::uint16_t>(item.substr(dash + 1)) : low;
    for (std::size_t port = low.value_or(1); low && high && port <= *high; ++port) usable_[port] = false;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  size_ = static_cast<std::size_t>(std::count(usable_.begin(), usable_.end(), true));
}

base::Result<EphemeralPorts> EphemeralPorts::read(const Sysctl& sysctl) {
  const auto range = sysctl.read_pair(kIpLocalPortRange);
  if (!range) return tl::unexpected(range.error());
  const auto reserved = sysctl.read_text(kIpLocalReservedPorts);
  return EphemeralPorts(range->first, range->second, reserved ? *reserved : std::string());
}

std::size_t PortCounter::Hash::operator()(const Path& path) const {
  const std::hash<std::string_view> of_bytes;
  const auto text = [](const std::array<std::uint8_t, 16>& bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  return of_bytes(text(path.local)) * 31 + of_bytes(text(path.remote)) * 17 + path.port;
}

void PortCounter::add(const InetDiagSocket& socket) {
  if (!ports_.contains(socket.local_port) || socket.remote_port == 0) return;
  Path path{socket.family, socket.local_address, socket.remote_address, socket.remote_port};
  if (socket.family == AF_INET6 && is_v4_mapped(socket.remote_address)) {
    path.family = AF_INET;  // what is on the wire counts: it shares its ports with IPv4 sockets
    path.local = v4_of(socket.local_address);
    path.remote = v4_of(socket.remote_address);
  }
  taken_[path].push_back(socket.local_port);
}

std::vector<DestinationPorts> PortCounter::fullest(std::size_t most) const {
  std::map<std::tuple<std::uint8_t, std::array<std::uint8_t, 16>, std::uint16_t>, std::size_t> by_destination;
  for (const auto& [path, ports] : taken_) {
    std::vector<std::uint16_t> each = ports;
    std::sort(each.begin(), each.end());
    const auto count = static_cast<std::size_t>(std::unique(each.begin(), each.end()) - each.begin());
    std::size_t& taken = by_destination[{path.family, path.remote, path.port}];
    taken = std::max(taken, count);
  }
  std::vector<DestinationPorts> result;
  result.reserve(by_destination.size());
  for (const auto& [key, taken] : by_destination) {
    result.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), taken});
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.taken > b.taken; });
  if (result.size() > most) result.resize(most);
  return result;
}

base::Result<std::vector<DestinationPorts>> count_ports(const EphemeralPorts& ports, std::size_t most) {
  PortCounter counter(ports);
  const auto dumped =
      dump_tcp_sockets(states_with_a_peer(), [&counter](const InetDiagSocket& socket) { counter.add(socket); });
  if (!dumped) return tl::unexpected(dumped.error());
  return counter.fullest(most);
}

}  // namespace twtrace::kernel
