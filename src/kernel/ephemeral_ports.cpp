// SPDX-License-Identifier: Apache-2.0
#include "kernel/ephemeral_ports.hpp"

#include <algorithm>
#include <bitset>
#include <string>

#include "kernel/text.hpp"

namespace twtrace::kernel {
std::size_t count_ephemeral_ports(std::uint64_t first, std::uint64_t last, std::string_view reserved) {
  constexpr std::size_t kPorts = 65536;
  std::bitset<kPorts> usable;
  for (std::uint64_t port = first; port <= last && port < kPorts; ++port) usable.set(port);
  // "8080,9148-9150", as proc_do_large_bitmap (kernel/sysctl.c) prints it.
  for (std::string_view rest = trim(reserved); !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view item = rest.substr(0, end);
    const std::size_t dash = std::min(item.find('-'), item.size());
    const auto low = parse_number<std::uint16_t>(item.substr(0, dash));
    const auto high = dash < item.size() ? parse_number<std::uint16_t>(item.substr(dash + 1)) : low;
    for (std::size_t port = low.value_or(1); low && high && port <= *high; ++port) usable.reset(port);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return usable.count();
}

base::Result<std::size_t> read_ephemeral_ports(const Sysctl& sysctl) {
  const auto range = sysctl.read_pair(kIpLocalPortRange);
  if (!range) return tl::unexpected(range.error());
  const auto reserved = sysctl.read_text(kIpLocalReservedPorts);
  return count_ephemeral_ports(range->first, range->second, reserved ? *reserved : std::string());
}

}  // namespace twtrace::kernel
