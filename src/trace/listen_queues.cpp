// SPDX-License-Identifier: Apache-2.0
#include "trace/listen_queues.hpp"

namespace twtrace::trace {
namespace {

using Kernel = ListenQueues::Kernel;

/// By how much ListenDrops of a namespace has grown at most. One that was not there before began at 0, and what is not
/// there any more tells nothing.
std::uint64_t growth(const Kernel& before, const Kernel& after, std::uint64_t netns_id) {
  const auto now = after.find(netns_id);
  if (now == after.end()) return 0;
  const auto then = before.find(netns_id);
  return now->second - (then == before.end() ? 0 : then->second);
}

}  // namespace

void ListenQueues::start(const Kernel& before, std::span<const tw_listener_reading> listening) {
  before_ = before;
  for (const tw_listener_reading& socket : listening) counters_[socket.socket] = {socket.drops, looks_};
}

/// By how much the counter of a socket has grown. One that fell belongs to another socket at the same address.
std::uint64_t ListenQueues::take_growth(std::uint64_t socket, std::uint32_t drops) {
  Counter& counter = counters_[socket];
  const std::uint32_t more = drops < counter.drops ? drops : drops - counter.drops;
  counter = {drops, looks_};
  return more;
}

std::vector<ListenQueues::Drops> ListenQueues::look(const Look& look) {
  ++looks_;
  std::vector<Drops> grown;
  std::map<std::uint64_t, std::uint64_t> together;  // by namespace
  const auto add = [&](const auto& socket, bool closed) {
    const std::uint64_t more = take_growth(socket.socket, socket.drops);
    together[socket.netns_id] += more;
    grown.push_back({socket.socket, socket.netns_id, more, closed});
  };
  for (const tw_closed_listener& socket : look.closed) {
    add(socket, true);
    counters_.erase(socket.socket);  // what has this address now is another socket
  }
  for (const tw_listener_reading& socket : look.listening) add(socket, false);
  for (Drops& socket : grown) {
    const std::uint64_t most = growth(before_, look.after, socket.netns_id);
    const std::uint64_t excess = together[socket.netns_id] > most ? together[socket.netns_id] - most : 0;
    socket.drops = socket.drops > excess ? socket.drops - excess : 0;
  }
  std::erase_if(grown, [](const Drops& socket) { return socket.drops == 0; });
  // A socket that closed after `closed` was read is in the next look's.
  std::erase_if(counters_, [this](const auto& counter) { return counter.second.looked + 1 < looks_; });
  before_ = look.before;
  return grown;
}

}  // namespace twtrace::trace
