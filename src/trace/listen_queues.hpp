// SPDX-License-Identifier: Apache-2.0
// How many connection attempts each listening socket dropped.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

namespace twtrace::trace {

/// Follows the counters of listening sockets. A socket has one (sk_drops), which the kernel raises together with
/// ListenDrops of the namespace (tcp_listendrop, all versions). But it raises it for other segments, too: a RST without
/// an ACK flag, a repeated SYN, and the ACK of a connection that found no place in the queue after it had dropped it.
/// So all that the sockets of a namespace ever dropped is never more than what ListenDrops grew by. If their counters
/// grew by more, each row gets what its sockets must have dropped even if all others dropped as much as they can have.
/// A socket whose counter is 0 need not be among those that are read. Pure. Not thread-safe.
class ListenQueues {
 public:
  /// ListenDrops by tw_namespace_reading.id.
  using Kernel = std::map<std::uint64_t, std::uint64_t>;
  struct Socket {
    std::uint64_t id = 0;  ///< tw_listener_reading.id
    std::uint64_t netns_id = 0;
    std::uint64_t growth = 0;  ///< of its counter since the last look, never 0
  };
  /// The sockets that may have dropped something.
  struct Growth {
    std::vector<Socket> sockets;
    std::map<std::uint64_t, std::uint64_t> excess;  ///< of each namespace: the growth that is no drop
  };
  struct RowDrops {
    std::uint32_t row = TW_ROW_NONE;  ///< or the sockets of a namespace that have none
    std::uint64_t netns_id = 0;
    std::uint64_t drops = 0;  ///< since the last look, never 0
  };

  /// What these sockets dropped so far was before the start. A socket that a later look finds first is younger. The
  /// arguments are read in this order.
  void start(const Kernel& kernel, std::span<const tw_listener_reading> listening);
  /// The arguments are read in this order. So a socket that closes meanwhile is in one of the first two, or in both, or
  /// `closed` has it at the next look.
  Growth look(std::span<const tw_listener_reading> listening, std::span<const tw_closed_listener> closed,
              const Kernel& kernel);
  /// What the sockets of each row dropped for certain.
  static std::vector<RowDrops> by_row(const Growth& growth, const std::function<std::uint32_t(std::uint64_t id)>& row);

 private:
  struct Counter {
    std::uint32_t drops = 0;   ///< sk_drops when it was read last
    std::uint64_t looked = 0;  ///< the look that found the socket last
  };

  std::uint32_t take_growth(std::uint64_t socket, std::uint32_t drops);
  std::uint64_t take_excess(std::uint64_t netns_id, std::uint64_t together, const Kernel& kernel);

  std::map<std::uint64_t, Counter> counters_;  ///< by tw_listener_reading.id
  std::uint64_t looks_ = 0;
  Kernel explained_;  ///< the part of ListenDrops that is known: from before the start, or dropped by sockets
};

}  // namespace twtrace::trace
