// SPDX-License-Identifier: Apache-2.0
#include "kernel/inet_diag.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace twtrace::kernel {
namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;  // the kernel fills at most 32 KiB at a time
constexpr int kAttempts = 3;

struct CloseSocket {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using NetlinkSocket = std::unique_ptr<mnl_socket, CloseSocket>;

// ENOENT: sock_diag has no handler for the family (inet_diag) or the protocol (tcp_diag) and could not load one.
tl::unexpected<base::Error> fail_diag(int saved_errno) {
  auto error = base::fail_errno(saved_errno, "sock_diag dump of TCP sockets");
  if (saved_errno == ENOENT || saved_errno == EPROTONOSUPPORT) {
    error.value().code = base::ErrorCode::kUnsupported;
    error.value().hint = "modprobe tcp_diag";
  }
  return error;
}

template <class T>
std::optional<T> load(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

base::Result<NetlinkSocket> open_socket() {
  NetlinkSocket socket(mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC));
  if (!socket) return fail_diag(errno);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return fail_diag(errno);
  return socket;
}

base::Result<void> send_request(mnl_socket* socket, std::uint32_t sequence, std::uint8_t family, std::uint32_t states) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = sequence;
  request.body.sdiag_family = family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = states;
  if (mnl_socket_sendto(socket, &request, sizeof request) < 0) return fail_diag(errno);
  return {};
}

// True when the dump was consistent.
base::Result<bool> dump_family(mnl_socket* socket, std::uint32_t sequence, std::uint8_t family, std::uint32_t states,
                               const InetDiagCallback& callback) {
  if (const auto sent = send_request(socket, sequence, family, states); !sent) return tl::unexpected(sent.error());
  std::vector<std::byte> buffer(kReceiveBytes);
  InetDiagDump dump(sequence);
  for (;;) {
    const ssize_t got = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_diag(errno);
    auto done = dump.feed(std::span(buffer).first(static_cast<std::size_t>(got)), callback);
    if (!done) return done;
    if (*done) return !dump.interrupted();
  }
}

}  // namespace

std::optional<InetDiagSocket> parse_inet_diag_message(std::span<const std::byte> payload) {
  const auto message = load<inet_diag_msg>(payload);
  if (!message) return std::nullopt;
  if (message->idiag_family != AF_INET && message->idiag_family != AF_INET6) return std::nullopt;
  const std::size_t address_bytes = message->idiag_family == AF_INET ? 4 : 16;
  InetDiagSocket socket;
  socket.family = message->idiag_family;
  socket.state = message->idiag_state;
  std::memcpy(socket.local_address.data(), message->id.idiag_src, address_bytes);
  std::memcpy(socket.remote_address.data(), message->id.idiag_dst, address_bytes);
  socket.local_port = ntohs(message->id.idiag_sport);
  socket.remote_port = ntohs(message->id.idiag_dport);
  socket.cookie = std::uint64_t{message->id.idiag_cookie[1]} << 32 | message->id.idiag_cookie[0];
  return socket;
}

base::Result<bool> InetDiagDump::feed(std::span<const std::byte> buffer, const InetDiagCallback& callback) {
  while (const auto header = load<nlmsghdr>(buffer)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > buffer.size()) break;
    const auto payload = buffer.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    buffer = buffer.subspan(std::min(buffer.size(), std::size_t{NLMSG_ALIGN(header->nlmsg_len)}));
    if (header->nlmsg_seq != sequence_) continue;  // of an earlier, abandoned dump
    if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
    if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
      // Both carry a negative errno; a dump's end without one, or with 0, is a good end.
      const int code = load<std::int32_t>(payload).value_or(header->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG);
      if (code != 0) return fail_diag(code < 0 && code >= -4095 ? -code : EBADMSG);
      return true;
    }
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
    if (const auto socket = parse_inet_diag_message(payload)) callback(*socket);
  }
  if (!buffer.empty()) return base::fail(base::ErrorCode::kInvalid, "sock_diag answered with a malformed message");
  return false;
}

base::Result<void> dump_tcp_sockets(std::uint32_t states, const InetDiagCallback& callback) {
  const auto socket = open_socket();
  if (!socket) return tl::unexpected(socket.error());
  std::uint32_t sequence = 0;
  for (const int family : {AF_INET, AF_INET6}) {
    bool consistent = false;
    for (int attempt = 0; attempt < kAttempts && !consistent; ++attempt) {
      const auto result = dump_family(socket->get(), ++sequence, static_cast<std::uint8_t>(family), states, callback);
      if (!result) return tl::unexpected(result.error());
      consistent = *result;
    }
    if (!consistent) return fail_diag(EINTR);
  }
  return {};
}

}  // namespace twtrace::kernel
