// SPDX-License-Identifier: Apache-2.0
#include "kernel/ephemeral_ports.hpp"

#include <algorithm>
#include <string>

#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kPorts = 65536;

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

}  // namespace twtrace::kernel
