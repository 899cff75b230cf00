// SPDX-License-Identifier: Apache-2.0
#include "trace/listen_queues.hpp"

#include <algorithm>

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

std::vector<ListenQueues::Drops> ListenQueues::look(std::span<const tw_listener_reading> listening,
                                                    std::span<const tw_closed_listener> closed, const Kernel& kernel) {
  ++looks_;
  std::map<std::uint64_t, Drops> grown;           // by socket
  std::map<std::uint64_t, std::uint64_t> excess;  // by namespace; first what its sockets' counters grew by together
  const auto add = [&](const auto& socket) {
    const std::uint32_t more = take_growth(socket.id, socket.drops);
    if (more == 0) return;
    Drops& drops = grown.try_emplace(socket.id, Drops{socket.id, socket.netns_id, 0}).first->second;
    drops.drops += more;
    excess[socket.netns_id] += more;
  };
  std::for_each(listening.begin(), listening.end(), add);
  std::for_each(closed.begin(), closed.end(), add);
  // `closed` may have one that is missing here only at the next look.
  std::erase_if(counters_, [this](const auto& counter) { return counter.second.looked + 1 < looks_; });

  for (auto& [netns_id, drops] : excess) drops = take_excess(netns_id, drops, kernel);
  std::erase_if(explained_, [&kernel](const auto& netns) { return !kernel.contains(netns.first); });
  std::vector<Drops> dropped;
  for (auto& [id, socket] : grown) {
    socket.drops -= std::min(socket.drops, excess[socket.netns_id]);
    if (socket.drops != 0) dropped.push_back(socket);
  }
  return dropped;
}

}  // namespace twtrace::trace
