// SPDX-License-Identifier: Apache-2.0
#include "tcp.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace twtrace::workload {
namespace {

constexpr int kDeadlineSeconds = 30;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address make_address(Family family, const char* text, std::uint16_t port) {
  Address address;
  if (family == Family::kIpv4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    if (inet_pton(AF_INET, text, &v4->sin_addr) != 1) die(text);
    address.size = sizeof(sockaddr_in);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) die(text);
    address.size = sizeof(sockaddr_in6);
  }
  return address;
}

// A mapped connection is IPv4 on the wire between two AF_INET6 sockets.
const char* loopback(Family family) {
  if (family == Family::kIpv4) return "127.0.0.1";
  return family == Family::kIpv6 ? "::1" : "::ffff:127.0.0.1";
}

int open_socket(Family family, int protocol) {
  const int fd = socket(family == Family::kIpv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, protocol);
  if (fd < 0) die("socket");
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) die("SO_REUSEADDR");
  return fd;
}

void bind_to(int fd, Family family, std::uint16_t source_port) {
  const Address local = make_address(family, loopback(family), source_port);
  if (bind(fd, local.get(), local.size) != 0) die("bind to the source port");
}

void send_byte(int fd) {
  if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) die("send");
}

int state_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) die("TCP_INFO");
  return info.tcpi_state;
}

// True if all that was sent is acknowledged, and more waits because the peer has no room.
bool waits_for_room(int fd) {
  int queued = 0;
  int unsent = 0;
  if (ioctl(fd, SIOCOUTQ, &queued) != 0 || ioctl(fd, SIOCOUTQNSD, &unsent) != 0) die("SIOCOUTQ");
  return unsent > 0 && unsent == queued;
}

bool greets(int protocol) { return protocol == IPPROTO_TCP; }

void connect_and_greet(int fd, Family family, std::uint16_t port, int protocol) {
  const Address remote = make_address(family, loopback(family), port);
  if (connect(fd, remote.get(), remote.size) != 0) die("connect");
  if (greets(protocol)) receive_byte(fd);
  send_byte(fd);
  receive_byte(fd);
}

}  // namespace

int listen_on(Family family, std::uint16_t port, int protocol) {
  const int fd = open_socket(family, protocol);
  const Address address = make_address(family, family == Family::kMapped ? "::" : loopback(family), port);
  if (bind(fd, address.get(), address.size) != 0) die("bind");
  if (listen(fd, 1024) != 0) die("listen");
  return fd;
}

int accept_one(int listener, int protocol) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) die("accept");
  if (greets(protocol)) send_byte(fd);
  receive_byte(fd);
  send_byte(fd);
  return fd;
}

int connect_one(Family family, std::uint16_t port, std::uint16_t source_port, int protocol) {
  const int fd = open_socket(family, protocol);
  if (source_port != 0) bind_to(fd, family, source_port);
  connect_and_greet(fd, family, port, protocol);
  return fd;
}

void send_unheard_syn(Family family, std::uint16_t port, std::uint16_t source_port) {
  const int fd = open_socket(family, IPPROTO_TCP);
  bind_to(fd, family, source_port);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("O_NONBLOCK");
  const Address remote = make_address(family, loopback(family), port);
  if (connect(fd, remote.get(), remote.size) == 0 || errno != EINPROGRESS) die("expected no answer");
  usleep(20000);
  close(fd);
}

void disconnect(int fd) {
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (connect(fd, &none, sizeof(none)) != 0) die("connect to AF_UNSPEC");
}

void connect_again(int fd, Family family, std::uint16_t port) { connect_and_greet(fd, family, port, IPPROTO_TCP); }

int connect_with_cookie(Family family, std::uint16_t port, std::uint64_t remainder, std::uint64_t modulus) {
  int fd = open_socket(family, IPPROTO_TCP);
  while (cookie_of(fd) % modulus != remainder) {
    close(fd);
    fd = open_socket(family, IPPROTO_TCP);
  }
  connect_and_greet(fd, family, port, IPPROTO_TCP);
  return fd;
}

std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) die("SO_COOKIE");
  return cookie;
}

void accept_early(int listener) {
  const int queue = 1024;
  if (setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)) != 0) die("TCP_FASTOPEN");
  // Byte 13 of the TCP header has the flags; SYN is 2.
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, 0xffffffff), BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{4, code};
  if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) die("SO_ATTACH_FILTER");
}

void let_be_established(int fd) {
  const int unused = 0;
  if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) != 0) die("SO_DETACH_FILTER");
}

int connect_early(Family family, std::uint16_t port) {
  const int fd = open_socket(family, IPPROTO_TCP);
  const Address remote = make_address(family, loopback(family), port);
  if (sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, remote.get(), remote.size) != 1) die("sendto with MSG_FASTOPEN");
  return fd;
}

void receive_byte(int fd) {
  char byte = 0;
  if (recv(fd, &byte, 1, 0) != 1) die("recv");
}

void read_eof(int fd) {
  char byte = 0;
  if (recv(fd, &byte, 1, 0) != 0) die("expected the peer's FIN");
}

void read_all(int fd) {
  char buffer[16384];
  ssize_t got = 0;
  do {
    got = recv(fd, buffer, sizeof(buffer), 0);
  } while (got > 0);
  if (got < 0) die("recv");
}

void fill(int fd) {
  const int small = 4096;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) != 0) die("SO_SNDBUF");
  const char buffer[4096] = {};
  while (!waits_for_room(fd)) {
    if (send(fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) continue;
    if (errno != EAGAIN) die("send");
    usleep(500);
  }
}

void send_fin_behind_data(int fd) {
  fill(fd);
  send_fin(fd);
  if (!waits_for_room(fd) || state_of(fd) != TCP_FIN_WAIT1) die("expected a FIN that cannot be sent yet");
}

void read_reset(int fd) {
  char byte = 0;
  if (recv(fd, &byte, 1, 0) != -1 || errno != ECONNRESET) die("expected the peer's reset");
}

void send_fin(int fd) {
  if (shutdown(fd, SHUT_WR) != 0) die("shutdown");
}

void close_with_reset(int fd) {
  const linger option{1, 0};
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, sizeof(option)) != 0) die("SO_LINGER");
  close(fd);
}

void ack_now(int fd) {
  const int on = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)) != 0) die("TCP_QUICKACK");
}

void wait_closed(int fd) {
  const std::time_t deadline = std::time(nullptr) + kDeadlineSeconds;
  for (int turn = 0;; ++turn) {
    if (state_of(fd) == TCP_CLOSE) return;
    if (std::time(nullptr) > deadline) {
      errno = ETIMEDOUT;
      die("waiting for the end of a connection");
    }
    usleep(turn < 20 ? 10 : 500);
  }
}

void end_passively(int fd) {
  read_eof(fd);
  // The other end was refused its bucket and has answered an ACK of ours with a reset.
  const bool is_reset = shutdown(fd, SHUT_WR) != 0 && errno == ENOTCONN;
  if (!is_reset) wait_closed(fd);
  close(fd);
}

void end_passively_in_turn(int fd, int i) {
  if (i % 2 == 0) return end_passively(fd);
  read_eof(fd);
  close(fd);
}

}  // namespace twtrace::workload
