// SPDX-License-Identifier: Apache-2.0
// Blocking TCP on loopback for one connection at a time. A failure ends the process, because no assertion means
// anything if the workload did something else than it says.
#pragma once

#include <netinet/in.h>

#include <cstdint>

#include "die.hpp"
#include "options.hpp"

namespace twtrace::workload {

/// A listening socket on the loopback address of `family`; `protocol` is IPPROTO_TCP or IPPROTO_MPTCP.
int listen_on(Family family, std::uint16_t port, int protocol = IPPROTO_TCP);

/// Makes a listener take connections with TCP Fast Open, and keeps them from becoming established: every segment but
/// the SYN is dropped, until let_be_established() is called for the accepted one.
void accept_early(int listener);
void let_be_established(int fd);

/// Connects with a byte in the SYN, and returns once the other end has answered.
int connect_early(Family family, std::uint16_t port);

/// Accepts one connection, greets the peer and exchanges a byte in each direction, so that both ends are established
/// and nothing is left unread (closing with unread data would send a reset).
///
/// The greeting keeps the connecting end silent until the connection is accepted. Data that overtakes the last ACK of
/// the handshake on another CPU can leave a connection that is established but never offered to accept(): the request's
/// ts_recent is the data's by then, and PAWS drops the ACK. Seen on 5.10. Linux 6.14 and the stable kernels of that
/// time have the fix ("tcp: Defer ts_recent changes until req is owned"). MPTCP sends no greeting: with one, a
/// connection stood still once (6.12), and only kernels from 6.1 on run that mode.
int accept_one(int listener, int protocol = IPPROTO_TCP);

/// Connects, optionally from a fixed source port, waits for the greeting and exchanges a byte in each direction.
int connect_one(Family family, std::uint16_t port, std::uint16_t source_port = 0, int protocol = IPPROTO_TCP);

/// Sends a SYN from one port to another, where nobody listens, and gives up.
void send_unheard_syn(Family family, std::uint16_t port, std::uint16_t source_port);

/// Takes the socket out of its connection, as connect() to AF_UNSPEC does: with a reset unless that has ended.
void disconnect(int fd);

/// As connect_one, with a socket that disconnect() has made free.
void connect_again(int fd, Family family, std::uint16_t port);

/// As connect_one, on a socket whose cookie leaves `remainder`. Opens sockets one by one until it has such a one.
int connect_with_cookie(Family family, std::uint16_t port, std::uint64_t remainder, std::uint64_t modulus);

/// The socket's cookie, which the kernel generates when it is first asked for.
std::uint64_t cookie_of(int fd);

/// Waits for a byte.
void receive_byte(int fd);

/// Waits for the peer's FIN.
void read_eof(int fd);

/// Reads all that the peer has sent, up to its FIN.
void read_all(int fd);

/// Sends until nothing more fits in the buffers of both ends, for a peer that does not read.
void fill(int fd);

/// Sends the FIN behind data that the peer has no room for. It cannot be acknowledged before the peer reads.
void send_fin_behind_data(int fd);

/// Waits for the peer's reset.
void read_reset(int fd);

/// Sends our FIN and keeps the descriptor open.
void send_fin(int fd);

/// Closes with a reset instead of a FIN.
void close_with_reset(int fd);

/// Sends a delayed acknowledgement now.
void ack_now(int fd);

/// Waits until the kernel has finished the connection (state CLOSE): the peer has acknowledged our FIN, and where we
/// closed first, the bucket was allocated or refused.
void wait_closed(int fd);

/// Ends a connection that the peer closed first, and returns only when it is over at both ends.
void end_passively(int fd);

/// Ends the i-th connection that the peer closed first: in turn as end_passively, and by a plain close(), which is
/// what programs do.
void end_passively_in_turn(int fd, int i);

}  // namespace twtrace::workload
