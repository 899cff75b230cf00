// SPDX-License-Identifier: Apache-2.0
// How many connection attempts each listening socket dropped.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace twtrace::trace {

/// Follows the counters of listening sockets. A socket has one (sk_drops), which the kernel raises together with
/// ListenDrops of the namespace (tcp_listendrop, all versions). But it raises it for other segments, too: a RST without
/// an ACK flag, a repeated SYN, and the ACK of a connection that found no place in the queue after it had dropped it.
/// So what the sockets of a namespace dropped together is never more than what ListenDrops grew by. If their counters
/// grew by more, each socket gets what it must have dropped even if all others dropped as much as they can have.
/// Pure. Not thread-safe.
class ListenQueues {
 public:
  /// ListenDrops by tw_namespace_reading.id.
  using Kernel = std::map<std::uint64_t, std::uint64_t>;
  /// Everything was read in this order.
  struct Look {
    Kernel before;
    std::span<const tw_closed_listener> closed;  ///< since the last look
    std::span<const tw_listener_reading> listening;
    Kernel after;
  };
  struct Drops {
    std::uint64_t socket = 0;
    std::uint64_t netns_id = 0;
    std::uint64_t drops = 0;  ///< since the last look, never 0
    bool closed = false;
  };

  /// What these sockets dropped so far was before the start. A socket that a later look finds first is younger.
  void start(const Kernel& before, std::span<const tw_listener_reading> listening);
  std::vector<Drops> look(const Look& look);

 private:
  struct Counter {
    std::uint32_t drops = 0;   ///< sk_drops when it was read last
    std::uint64_t looked = 0;  ///< the look that found the socket last
  };

  std::uint64_t take_growth(std::uint64_t socket, std::uint32_t drops);

  std::map<std::uint64_t, Counter> counters_;  ///< by socket
  std::uint64_t looks_ = 0;
  Kernel before_;  ///< Look::before of the last look
};

}  // namespace twtrace::trace
