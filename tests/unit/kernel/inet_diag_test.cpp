// SPDX-License-Identifier: Apache-2.0
#include "kernel/inet_diag.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;
using Bytes = std::vector<std::byte>;

namespace {

constexpr std::uint32_t kSequence = 17;

inet_diag_msg sample(std::uint8_t family) {
  inet_diag_msg message{};
  message.idiag_family = family;
  message.idiag_state = TCP_TIME_WAIT;
  message.id.idiag_sport = htons(6379);
  message.id.idiag_dport = htons(40001);
  std::memset(message.id.idiag_src, 0xAA, sizeof message.id.idiag_src);
  std::memset(message.id.idiag_dst, 0xBB, sizeof message.id.idiag_dst);
  message.id.idiag_cookie[0] = 0x01020304;
  message.id.idiag_cookie[1] = 0x05060708;
  return message;
}

template <class T>
Bytes bytes_of(const T& value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Bytes message(std::uint16_t type, const Bytes& payload, std::uint16_t flags = 0, std::uint32_t sequence = kSequence) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  Bytes bytes = bytes_of(header);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes diag(std::uint8_t family = AF_INET, std::uint16_t flags = 0, std::uint32_t sequence = kSequence) {
  return message(SOCK_DIAG_BY_FAMILY, bytes_of(sample(family)), flags, sequence);
}

Bytes done(std::int32_t code = 0) { return message(NLMSG_DONE, bytes_of(code)); }

struct Fed {
  InetDiagDump dump{kSequence};
  std::vector<InetDiagSocket> sockets;

  auto feed(const Bytes& bytes) {
    return dump.feed(bytes, [this](const InetDiagSocket& socket) { sockets.push_back(socket); });
  }
};

// A listener on the loopback address of `family`, on a port of the kernel's choice.
std::pair<twtrace::base::UniqueFd, std::uint16_t> listener(int family) {
  twtrace::base::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
  socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;
  if (!fd || ::bind(fd.get(), address, length) != 0 || ::listen(fd.get(), 1) != 0) return {};
  ::getsockname(fd.get(), address, &length);
  return {std::move(fd), ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port)};
}

}  // namespace

TEST_CASE("one message of each family") {
  const auto v4 = parse_inet_diag_message(bytes_of(sample(AF_INET)));
  REQUIRE(v4);
  CHECK(v4->family == AF_INET);
  CHECK(v4->state == TCP_TIME_WAIT);
  CHECK(v4->local_port == 6379);
  CHECK(v4->remote_port == 40001);
  CHECK(v4->cookie == 0x0506070801020304);
  CHECK(v4->local_address == std::array<std::uint8_t, 16>{0xAA, 0xAA, 0xAA, 0xAA});
  CHECK(v4->remote_address == std::array<std::uint8_t, 16>{0xBB, 0xBB, 0xBB, 0xBB});
  const auto v6 = parse_inet_diag_message(bytes_of(sample(AF_INET6)));
  REQUIRE(v6);
  CHECK(std::count(v6->local_address.begin(), v6->local_address.end(), 0xAA) == 16);
  CHECK(std::count(v6->remote_address.begin(), v6->remote_address.end(), 0xBB) == 16);
}

TEST_CASE("short messages and foreign families are nothing") {
  const Bytes whole = bytes_of(sample(AF_INET));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_FALSE(parse_inet_diag_message(std::span(whole).first(length)));
  }
  CHECK_FALSE(parse_inet_diag_message(bytes_of(sample(AF_UNIX))));
}

TEST_CASE("a dump ends with DONE, over as many buffers as it takes") {
  Fed fed;
  CHECK(fed.feed(diag() + diag(AF_INET6)).value() == false);
  CHECK(fed.feed(diag() + message(NLMSG_NOOP, {}) + diag(AF_INET, 0, kSequence - 1) + done() + diag()).value() == true);
  CHECK(fed.sockets.size() == 3);
  CHECK_FALSE(fed.dump.interrupted());
  CHECK(Fed().feed(message(NLMSG_DONE, {})).value() == true);
}

TEST_CASE("an interrupted dump says so") {
  Fed fed;
  CHECK(fed.feed(diag(AF_INET, NLM_F_DUMP_INTR)).value() == false);
  CHECK(fed.feed(diag() + done()).value() == true);
  CHECK(fed.dump.interrupted());
}

TEST_CASE("the kernel's errors come through, from ERROR and from DONE") {
  const auto error = [](std::int32_t code) { return Fed().feed(message(NLMSG_ERROR, bytes_of(nlmsgerr{code, {}}))); };
  CHECK(error(-ENOENT).error().code == ErrorCode::kUnsupported);
  CHECK(error(-EPERM).error().code == ErrorCode::kPermission);
  CHECK(error(-EINVAL).error().sys_errno == EINVAL);
  CHECK(error(std::numeric_limits<std::int32_t>::min()).error().sys_errno == EBADMSG);
  CHECK(Fed().feed(message(NLMSG_ERROR, {})).error().sys_errno == EBADMSG);
  CHECK(Fed().feed(done(-ENOENT)).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("malformed buffers are refused, whatever they hold") {
  Bytes lying = diag();
  lying.resize(lying.size() - 4);
  CHECK(Fed().feed(lying).error().code == ErrorCode::kInvalid);
  nlmsghdr tiny{};
  tiny.nlmsg_len = 3;
  CHECK(Fed().feed(bytes_of(tiny)).error().code == ErrorCode::kInvalid);
  CHECK(Fed().feed(Bytes(5)).error().code == ErrorCode::kInvalid);

  std::mt19937 random(4711);
  const Bytes valid = diag() + diag(AF_INET6) + done();
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = valid;
    for (auto n = random() % 8; n > 0; --n) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    bytes.resize(random() % (bytes.size() + 1));
    Fed fed;
    (void)fed.feed(bytes);
    REQUIRE(fed.sockets.size() <= 2);
  }
}

TEST_CASE("a dump gives the cookie, the state and the addresses of our socket") {
  auto [fd, port] = listener(AF_INET);
  REQUIRE(fd);
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  REQUIRE(::getsockopt(fd.get(), SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0);
  std::vector<InetDiagSocket> ours;
  REQUIRE(dump_tcp_sockets(tcp_state_bit(TCP_LISTEN), [&ours, own = port](const InetDiagSocket& socket) {
    if (socket.local_port == own) ours.push_back(socket);
  }));
  REQUIRE(ours.size() == 1);
  CHECK(ours[0] == InetDiagSocket{AF_INET, TCP_LISTEN, {127, 0, 0, 1}, {}, port, 0, cookie});
}
