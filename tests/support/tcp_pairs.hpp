// SPDX-License-Identifier: Apache-2.0
// TCP connections of the calling thread with itself, over loopback. For tests that need single buckets, not a workload.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/unique_fd.hpp"

namespace twtrace::test {

/// A family besides AF_INET and AF_INET6: IPv6 sockets that are connected by IPv4, at ::ffff:127.0.0.1.
inline constexpr int kMapped = 0x10000;

/// Both ends of an established connection.
struct TcpPair {
  base::UniqueFd client;
  base::UniqueFd server;
};

/// A listening socket on 127.0.0.1, or ::1, by `family`. Everything here throws std::runtime_error.
base::UniqueFd listen_on(std::uint16_t port, int family = 2 /* AF_INET */, int backlog = 1024);

/// Connects to that port of 127.0.0.1, or ::1, from `source_port` if that is not 0.
base::UniqueFd connect_to(std::uint16_t port, int family = 2, std::uint16_t source_port = 0);

/// Sends a SYN to that port of 127.0.0.1 and does not wait for an answer. `deaf`: see deafen().
base::UniqueFd begin_to_connect(std::uint16_t port, bool deaf = false);

/// From now on the socket receives no segment, until hear_again().
void deafen(int socket);
void hear_again(int socket);

TcpPair make_pair(int listener, std::uint16_t port, int family = 2, std::uint16_t source_port = 0);

/// Sends a TCP segment without data from and to ports of 127.0.0.1, as somebody sends that has no connection. Needs
/// root. `flags`: TH_ACK and the like.
void send_segment(std::uint16_t from, std::uint16_t to, std::uint8_t flags);

std::uint16_t local_port(int socket);

/// close() will reset the connection.
void reset_on_close(int socket);

/// Sends a FIN that is not acknowledged before the peer reads, because the peer has no room for the data before it.
void send_fin_behind_data(int socket);

/// Ends the connection. When this returns, the first end has a bucket, or was refused one.
void close_first(base::UniqueFd& first, base::UniqueFd& second);

/// In that namespace, connects `count` times to `port` of 127.0.0.1, and closes the clients first.
void leave_buckets_in(int netns_fd, std::uint16_t port, std::size_t count);

/// Closes the client. It is then an orphan in FIN_WAIT2: a bucket, refused a bucket, or, if tcp_fin_timeout is above
/// 60, still a socket. Returns the other end, which has not sent its FIN.
base::UniqueFd close_one_end(TcpPair pair);

}  // namespace twtrace::test
