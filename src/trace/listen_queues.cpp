// SPDX-License-Identifier: Apache-2.0
#include "trace/listen_queues.hpp"

#include <algorithm>
#include <utility>

namespace twtrace::trace {

void ListenQueues::start(const Kernel& kernel, std::span<const tw_listener_reading> listening) {
  explained_ = kernel;
  for (const tw_listener_reading& socket : listening) counters_[socket.id] = {socket.drops, looks_};
}

/// By how much the counter of a socket has grown, which may wrap. The two readings of one that closed meanwhile may
/// come in any order.
std::uint32_t ListenQueues::take_growth(std::uint64_t socket, std::uint32_t drops) {
  Counter& counter = counters_[socket];
  counter.looked = looks_;
  const std::uint32_t more = drops - counter.drops;
  if (more > UINT32_MAX / 2) return 0;
  counter.drops = drops;
  return more;
}

/// By how much more the counters of a namespace's sockets have grown than ListenDrops leaves unexplained. A namespace
/// that is not there any more tells nothing.
std::uint64_t ListenQueues::take_excess(std::uint64_t netns_id, std::uint64_t together, const Kernel& kernel) {
  const auto now = kernel.find(netns_id);
  if (now == kernel.end()) return together;
  std::uint64_t& explained = explained_[netns_id];  // one that was not there before began at 0
  const std::uint64_t dropped = std::min(together, now->second - std::min(explained, now->second));
  explained += dropped;
  return together - dropped;
}

ListenQueues::Growth ListenQueues::look(std::span<const tw_listener_reading> listening,
                                        std::span<const tw_closed_listener> closed, const Kernel& kernel) {
  ++looks_;
  std::map<std::uint64_t, Socket> grown;            // by id
  std::map<std::uint64_t, std::uint64_t> together;  // by namespace
  const auto add = [&](const auto& socket) {
    const std::uint32_t more = take_growth(socket.id, socket.drops);
    if (more == 0) return;
    grown.try_emplace(socket.id, Socket{socket.id, socket.netns_id, 0}).first->second.growth += more;
    together[socket.netns_id] += more;
  };
  std::for_each(listening.begin(), listening.end(), add);
  std::for_each(closed.begin(), closed.end(), add);
  // `closed` may have one that is missing here only at the next look.
  std::erase_if(counters_, [this](const auto& counter) { return counter.second.looked + 1 < looks_; });

  Growth growth;
  for (const auto& [netns_id, all] : together) {
    const std::uint64_t excess = take_excess(netns_id, all, kernel);
    if (excess < all) growth.excess[netns_id] = excess;
  }
  std::erase_if(explained_, [&kernel](const auto& netns) { return !kernel.contains(netns.first); });
  for (const auto& [id, socket] : grown) {
    if (growth.excess.contains(socket.netns_id)) growth.sockets.push_back(socket);
  }
  return growth;
}

std::vector<ListenQueues::RowDrops> ListenQueues::by_row(const Growth& growth,
                                                         const std::function<std::uint32_t(std::uint64_t id)>& row) {
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> together;  // by namespace and row
  for (const Socket& socket : growth.sockets) together[{socket.netns_id, row(socket.id)}] += socket.growth;
  std::vector<RowDrops> dropped;
  for (const auto& [place, all] : together) {
    const auto& [netns_id, slot] = place;
    const std::uint64_t excess = growth.excess.at(netns_id);
    if (excess < all) dropped.push_back({slot, netns_id, all - excess});
  }
  return dropped;
}

}  // namespace twtrace::trace
