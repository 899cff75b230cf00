// SPDX-License-Identifier: Apache-2.0
// TCP sockets of the calling thread's network namespace, through sock_diag(7). Needs no privilege.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/result.hpp"

namespace twtrace::kernel {

/// One socket or bucket of a dump.
struct InetDiagSocket {
  std::uint8_t family = 0;                        ///< AF_INET or AF_INET6
  std::uint8_t state = 0;                         ///< TCP_LISTEN, TCP_TIME_WAIT, ... (linux/tcp.h numbers)
  std::array<std::uint8_t, 16> local_address{};   ///< network order; IPv4 in the first four bytes, the rest 0
  std::array<std::uint8_t, 16> remote_address{};  ///< the same
  std::uint16_t local_port = 0;                   ///< host order
  std::uint16_t remote_port = 0;                  ///< host order; 0 for listeners
  std::uint64_t cookie = 0;                       ///< as bpf_get_socket_cookie gives it

  bool operator==(const InetDiagSocket&) const = default;
};

/// Parses the payload of one SOCK_DIAG_BY_FAMILY message (struct inet_diag_msg, attributes ignored). Nothing when it is
/// too short or of a foreign family. Any bytes are safe.
std::optional<InetDiagSocket> parse_inet_diag_message(std::span<const std::byte> payload);

using InetDiagCallback = std::function<void(const InetDiagSocket&)>;

/// Takes the answers of one dump apart, buffer by buffer. Any bytes are safe.
class InetDiagDump {
 public:
  explicit InetDiagDump(std::uint32_t sequence) : sequence_(sequence) {}

  /// One received buffer. True when the dump is complete, false when more has to be received. kUnsupported when the
  /// kernel has no tcp_diag; the kernel's other errors as they are.
  base::Result<bool> feed(std::span<const std::byte> buffer, const InetDiagCallback& callback);
  /// The table changed under the dump (NLM_F_DUMP_INTR): sockets may be missing or appear twice.
  bool interrupted() const { return interrupted_; }

 private:
  std::uint32_t sequence_;
  bool interrupted_ = false;
};

/// A state of linux/tcp.h as a bit of a mask.
constexpr std::uint32_t tcp_state_bit(unsigned state) { return 1U << state; }

/// Calls back for every IPv4 and IPv6 TCP socket in one of `states` (bits of tcp_state_bit). An interrupted dump is
/// begun again twice; after that it is kFailure with EINTR. The callback may therefore see a socket more than once.
base::Result<void> dump_tcp_sockets(std::uint32_t states, const InetDiagCallback& callback);

}  // namespace twtrace::kernel
