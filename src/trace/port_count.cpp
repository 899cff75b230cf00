// SPDX-License-Identifier: Apache-2.0
#include "trace/port_count.hpp"

#include <algorithm>
#include <utility>

#include "model/address.hpp"
#include "model/fill.hpp"

namespace twtrace::trace {
namespace {

constexpr std::uint64_t kCalmParts = 10;
constexpr std::uint64_t kRestNs = 1'500'000'000;

bool is_calm(const model::PortUse& use) { return use.ports.taken * kCalmParts < use.ports.of; }

model::Peer peer_of(const loader::RemoteEnd& remote) {
  return {model::format_address(remote.family == TW_FAMILY_IPV6, remote.address), remote.port};
}

/// The part of the range that is in the namespace's (inet_sk_get_local_port_range). Nothing of it if `of` is 0.
model::PortUse use_of(const loader::OwnRange& own, const tw_namespace_reading& netns) {
  model::PortUse use;
  const model::PortRange range{std::max(own.first, netns.first_port), std::min(own.last, netns.last_port)};
  use.netns = netns.inum;
  use.destination = peer_of(own.remote);
  if (range.first <= range.last) use.ports = {own.taken, std::uint64_t{range.last} - range.first + 1U};
  use.ports.taken = std::min(use.ports.taken, use.ports.of);
  use.own = range;
  use.bound = own.bound;
  use.bound_to = 0;
  use.outside = 0;
  return use;
}

/// For PortUse::is_pool().
model::PortUse pool_of(const loader::PortPool& pool, const tw_namespace_reading& netns,
                       const NamespaceDirectory& directory) {
  model::PortUse use;
  use.netns = netns.inum;
  use.netns_id = directory.id_of(netns.id);
  use.ports = {pool.taken, netns.settings.usable_ports};
  use.bound = pool.bound;
  use.bound_to = 0;
  use.outside = 0;
  return use;
}

/// A destination has one entry: that of the range that runs out first.
void add_own(std::vector<model::PortUse>& all, std::vector<model::PortUse> own) {
  std::stable_sort(own.begin(), own.end(), [](const model::PortUse& left, const model::PortUse& right) {
    return model::is_fuller(right.ports, left.ports);
  });
  for (model::PortUse& use : own) {
    const auto known = std::find_if(all.begin(), all.end(), [&use](const model::PortUse& each) {
      return each.netns == use.netns && each.netns_id == use.netns_id && each.destination == use.destination;
    });
    if (known != all.end()) {
      if (!model::is_fuller(use.ports, known->ports)) continue;
      use.outside = known->outside;
      all.erase(known);
    }
    all.insert(all.begin(), std::move(use));
  }
}

}  // namespace

base::Result<bool> PortCount::advance(loader::Readers& readers, const NamespaceDirectory& directory, bool last) {
  if (!running_ && !is_due(last)) return false;
  const std::uint64_t before_ns = base::process_cpu_ns();
  auto complete = count(readers, directory, last);
  cost_ns_ += base::process_cpu_ns() - before_ns;
  if (!complete || *complete) {
    share_.ran(clock_.monotonic_ns(), std::exchange(cost_ns_, 0));
    running_.reset();
  }
  return complete;
}

/// Ports that are taken and given back between two counts are not seen. So whoever asks for short intervals gets counts
/// as often as their share allows, but for every second sample.
bool PortCount::is_due(bool last) {
  const bool rests = std::exchange(rests_, false) && !last;
  return share_.is_due(clock_.monotonic_ns(), rests ? kRestNs : 0);
}

base::Result<bool> PortCount::count(loader::Readers& readers, const NamespaceDirectory& directory, bool last) {
  if (!running_) {
    if (auto begun = begin(readers); !begun) return tl::unexpected(begun.error());
  }
  return read(readers, directory, last || !uses_);
}

base::Result<void> PortCount::begin(loader::Readers& readers) {
  const auto namespaces = readers.namespaces().read(false, true);
  if (!namespaces) return tl::unexpected(namespaces.error());
  own_->begin(clock_.monotonic_ns());
  running_.emplace(Running{{}, loader::PortTally(own_.get())});
  for (const tw_namespace_reading& reading : *namespaces) running_->namespaces.emplace(reading.id, reading);
  readers.port_table().begin(*namespaces, TW_READ_PORTS);
  return {};
}

base::Result<bool> PortCount::read(loader::Readers& readers, const NamespaceDirectory& directory, bool whole) {
  loader::PortTally& tally = running_->tally;
  auto read = readers.port_table().advance(whole ? UINT64_MAX : budget_ns_,
                                           [&tally](const tw_socket_reading& socket) { tally.add(socket); });
  if (!read || !*read) return read;
  const auto binds = readers.binds().read([&tally](const tw_bind_reading& port) { tally.add(port); });
  if (!binds) return tl::unexpected(binds.error());
  uses_ = std::make_shared<const Uses>(sum_up(directory));
  rests_ = std::all_of(uses_->begin(), uses_->end(), is_calm);
  return true;
}

PortCount::Uses PortCount::sum_up(const NamespaceDirectory& directory) const {
  const auto& [namespaces, tally] = *running_;
  Uses result;
  for (const loader::TakenPorts& ports : tally.fullest(most_)) {
    const auto netns = namespaces.find(ports.remote.netns_id);
    if (netns == namespaces.end()) continue;
    const tw_namespace_reading& reading = netns->second;
    result.push_back({reading.inum,
                      peer_of(ports.remote),
                      {ports.taken, reading.settings.usable_ports},
                      directory.id_of(reading.id),
                      ports.bound,
                      ports.bound_to,
                      ports.outside});
  }
  Uses of_own;
  for (const loader::OwnRange& range : tally.own_ranges()) {
    const auto netns = namespaces.find(range.remote.netns_id);
    if (netns == namespaces.end()) continue;
    model::PortUse use = use_of(range, netns->second);
    if (use.ports.taken == 0) continue;
    use.netns_id = directory.id_of(range.remote.netns_id);
    of_own.push_back(std::move(use));
  }
  add_own(result, std::move(of_own));
  for (const loader::PortPool& pool : tally.pools()) {
    const auto netns = namespaces.find(pool.netns_id);
    if (netns == namespaces.end() || !model::is_nearly_full(pool.taken, netns->second.settings.usable_ports)) continue;
    result.insert(result.begin(), pool_of(pool, netns->second, directory));
  }
  if (result.size() > most_) result.resize(most_);
  return result;
}

}  // namespace twtrace::trace
