// SPDX-License-Identifier: Apache-2.0
#include "support/tcp_pairs.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/inside_netns.hpp"

namespace twtrace::test {
namespace {

struct Loopback {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Loopback loopback(int family, std::uint16_t port) {
  Loopback address;
  if (family == AF_INET) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    *v4 = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    address.size = sizeof(*v4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    v6->sin6_addr = in6addr_loopback;
    if (family == kMapped) inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6->sin6_addr);
    address.size = sizeof(*v6);
  }
  return address;
}

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string(what) + " failed");
}

base::UniqueFd open_socket(int family) {
  base::UniqueFd fd(socket(family == AF_INET ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  check(fd && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0, "socket");
  return fd;
}

int state_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  check(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0, "TCP_INFO");
  return info.tcpi_state;
}

void wait_state(int fd, int state) {
  while (state_of(fd) != state) poll(nullptr, 0, 1);
}

void read_eof(int fd) {
  char byte = 0;
  check(recv(fd, &byte, 1, 0) == 0, "waiting for the FIN");
}

}  // namespace

base::UniqueFd listen_on(std::uint16_t port, int family, int backlog) {
  base::UniqueFd fd = open_socket(family);
  const Loopback address = loopback(family, port);
  check(bind(fd.get(), address.get(), address.size) == 0, "bind");
  check(listen(fd.get(), backlog) == 0, "listen");
  return fd;
}

base::UniqueFd connect_to(std::uint16_t port, int family, std::uint16_t source_port) {
  base::UniqueFd fd = open_socket(family);
  const Loopback source = loopback(family, source_port);
  if (source_port != 0) check(bind(fd.get(), source.get(), source.size) == 0, "bind");
  const Loopback address = loopback(family, port);
  check(connect(fd.get(), address.get(), address.size) == 0, "connect");
  return fd;
}

void deafen(int socket) {
  sock_filter drop{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &drop};
  check(setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "SO_ATTACH_FILTER");
}

void hear_again(int socket) {
  const int unused = 0;
  check(setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) == 0, "SO_DETACH_FILTER");
}

base::UniqueFd begin_to_connect(std::uint16_t port, bool deaf) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (deaf) deafen(fd.get());
  const Loopback address = loopback(AF_INET, port);
  check(fd && connect(fd.get(), address.get(), address.size) != 0 && errno == EINPROGRESS, "beginning to connect");
  return fd;
}

TcpPair make_pair(int listener, std::uint16_t port, int family, std::uint16_t source_port) {
  TcpPair pair;
  pair.client = connect_to(port, family, source_port);
  pair.server.reset(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  check(static_cast<bool>(pair.server), "accept");
  return pair;
}

void send_segment(std::uint16_t from, std::uint16_t to, std::uint8_t flags) {
  const base::UniqueFd raw(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
  check(static_cast<bool>(raw), "a raw socket");
  tcphdr segment{};
  segment.source = htons(from);
  segment.dest = htons(to);
  segment.doff = sizeof(segment) / 4;
  segment.th_flags = flags;
  std::uint32_t sum = 2 * (htonl(INADDR_LOOPBACK) & 0xffffU) + 2 * (htonl(INADDR_LOOPBACK) >> 16U) +
                      htons(IPPROTO_TCP) + htons(sizeof(segment));
  std::array<std::uint16_t, sizeof(segment) / 2> words{};
  std::memcpy(words.data(), &segment, sizeof(segment));
  for (const std::uint16_t word : words) sum += word;
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  segment.check = static_cast<std::uint16_t>(~sum);
  const Loopback address = loopback(AF_INET, 0);
  check(sendto(raw.get(), &segment, sizeof(segment), 0, address.get(), address.size) == sizeof(segment), "sendto");
}

std::uint16_t local_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  check(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

void reset_on_close(int socket) {
  const linger now{1, 0};
  check(setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0, "SO_LINGER");
}

void send_fin_behind_data(int socket) {
  const std::string data(1U << 16U, 'x');
  while (send(socket, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  check(shutdown(socket, SHUT_WR) == 0, "shutdown");
}

void close_first(base::UniqueFd& first, base::UniqueFd& second) {
  check(shutdown(first.get(), SHUT_WR) == 0, "shutdown");
  read_eof(second.get());
  check(shutdown(second.get(), SHUT_WR) == 0, "shutdown");
  read_eof(first.get());
  wait_state(first.get(), TCP_CLOSE);
  wait_state(second.get(), TCP_CLOSE);
  first.reset();
  second.reset();
}

void leave_buckets_in(int netns_fd, std::uint16_t port, std::size_t count) {
  inside_netns(netns_fd, [&] {
    const base::UniqueFd listener = listen_on(port);
    for (std::size_t i = 0; i < count; ++i) {
      TcpPair pair = make_pair(listener.get(), port);
      close_first(pair.client, pair.server);
    }
  });
}

base::UniqueFd close_one_end(TcpPair pair) {
  check(shutdown(pair.client.get(), SHUT_WR) == 0, "shutdown");
  read_eof(pair.server.get());
  const int on = 1;  // sends a delayed acknowledgement now
  check(setsockopt(pair.server.get(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)) == 0, "TCP_QUICKACK");
  // If the acknowledgement met a close() half-way, the orphan would stay a socket (tcp_rcv_state_process, "Bad case").
  wait_state(pair.client.get(), TCP_FIN_WAIT2);
  pair.client.reset();
  return std::move(pair.server);
}

}  // namespace twtrace::test
