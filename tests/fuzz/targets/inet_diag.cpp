// SPDX-License-Identifier: Apache-2.0
#include "kernel/inet_diag.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "target.hpp"

namespace twtrace::fuzz {
namespace {

constexpr std::uint32_t kSequence = 7;

template <class T>
std::string raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string message(std::uint8_t family) {
  inet_diag_msg body{};
  body.idiag_family = family;
  body.idiag_state = 10;
  body.id.idiag_sport = htons(6379);
  return raw(body);
}

std::string netlink(std::uint16_t type, std::uint16_t flags, const std::string& payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof(header) + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = kSequence;
  return raw(header) + payload;
}

void check(const kernel::InetDiagSocket& socket) {
  require(socket.family == AF_INET || socket.family == AF_INET6, "only IP sockets come out");
}

void run_message(Bytes bytes) {
  const auto socket = kernel::parse_inet_diag_message(std::as_bytes(bytes));
  if (!socket) return;
  require(bytes.size() >= sizeof(inet_diag_msg), "a short message is none");
  check(*socket);
}

void run_dump(Bytes bytes) {
  kernel::InetDiagDump dump(kSequence);
  std::size_t sockets = 0;
  const auto count = [&](const kernel::InetDiagSocket& socket) {
    check(socket);
    ++sockets;
  };
  // Two buffers, as the kernel would send them.
  const Bytes first = bytes.first(bytes.size() / 2 / 4 * 4);
  const auto more = dump.feed(std::as_bytes(first), count);
  if (more && !*more) static_cast<void>(dump.feed(std::as_bytes(bytes.subspan(first.size())), count));
  require(sockets * sizeof(inet_diag_msg) <= bytes.size(), "no socket is made up");
}

std::vector<std::string> dump_seeds() {
  const std::string v4 = netlink(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, message(AF_INET));
  const std::string v6 = netlink(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI | NLM_F_DUMP_INTR, message(AF_INET6));
  const std::string done = netlink(NLMSG_DONE, NLM_F_MULTI, raw(std::int32_t{0}));
  nlmsgerr refusal{};
  refusal.error = -2;
  return {v4 + v6 + done, v4 + v4, done, netlink(NLMSG_ERROR, 0, raw(refusal)), v6 + netlink(NLMSG_NOOP, 0, "")};
}

}  // namespace

Target inet_diag_message_target() {
  return {"inet_diag_message", run_message, {message(AF_INET), message(AF_INET6)}, 100'000};
}

Target inet_diag_dump_target() { return {"inet_diag_dump", run_dump, dump_seeds(), 100'000}; }

}  // namespace twtrace::fuzz
