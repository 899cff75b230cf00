// SPDX-License-Identifier: Apache-2.0
#include "trace/port_use.hpp"

#include <unordered_map>

#include "loader/table_sums.hpp"
#include "model/address.hpp"

namespace twtrace::trace {

base::Result<std::vector<model::PortUse>> read_port_use(loader::Readers& readers, const NamespaceDirectory& directory,
                                                        std::size_t most) {
  const auto namespaces = readers.namespaces().read(false, true);
  if (!namespaces) return tl::unexpected(namespaces.error());
  std::unordered_map<std::uint64_t, const tw_namespace_reading*> by_id;
  for (const tw_namespace_reading& reading : *namespaces) by_id.emplace(reading.id, &reading);
  loader::PortTally tally;
  const auto read = readers.table().read(*namespaces, TW_READ_PORTS,
                                         [&tally](const tw_socket_reading& socket) { tally.add(socket); });
  if (!read) return tl::unexpected(read.error());
  std::vector<model::PortUse> result;
  for (const loader::TakenPorts& ports : tally.fullest(most)) {
    const auto netns = by_id.find(ports.remote.netns_id);
    if (netns == by_id.end()) continue;
    const tw_namespace_reading& reading = *netns->second;
    result.push_back(
        {reading.inum,
         {model::format_address(ports.remote.family == TW_FAMILY_IPV6, ports.remote.address), ports.remote.port},
         {ports.taken, reading.settings.usable_ports},
         directory.id_of(reading.id),
         ports.bound,
         ports.bound_to,
         ports.outside});
  }
  return result;
}

}  // namespace twtrace::trace
