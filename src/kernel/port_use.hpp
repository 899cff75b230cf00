// SPDX-License-Identifier: Apache-2.0
// Ephemeral ports of the calling thread's network namespace: how many are taken towards each destination.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "kernel/inet_diag.hpp"
#include "kernel/sysctl.hpp"

namespace twtrace::kernel {

/// The ports that connect() may choose from: ip_local_port_range without ip_local_reserved_ports.
class EphemeralPorts {
 public:
  EphemeralPorts(std::uint64_t first, std::uint64_t last, std::string_view reserved);
  /// As the namespace has them now.
  static base::Result<EphemeralPorts> read(const Sysctl& sysctl = Sysctl());

  bool contains(std::uint16_t port) const { return usable_[port]; }
  std::size_t size() const { return size_; }

 private:
  std::vector<bool> usable_;
  std::size_t size_ = 0;
};

/// One destination. Ports are taken per pair of addresses and remote port; of several local addresses the one with the
/// most counts, because it runs out first.
struct DestinationPorts {
  std::uint8_t family = 0;  ///< AF_INET or AF_INET6
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  std::size_t taken = 0;
};

/// Counts sockets and buckets one by one. Not thread-safe.
class PortCounter {
 public:
  explicit PortCounter(const EphemeralPorts& ports) : ports_(ports) {}

  /// A socket may come more than once.
  void add(const InetDiagSocket& socket);
  /// The `most` fullest destinations, the fullest first.
  std::vector<DestinationPorts> fullest(std::size_t most) const;

 private:
  struct Path {
    std::uint8_t family = 0;
    std::array<std::uint8_t, 16> local{};
    std::array<std::uint8_t, 16> remote{};
    std::uint16_t port = 0;
    bool operator==(const Path&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Path& path) const;
  };

  const EphemeralPorts& ports_;
  std::unordered_map<Path, std::vector<std::uint16_t>, Hash> taken_;
};

/// Everything but listeners. Walks every socket of the namespace: about 50 ms for 140,000 of them.
base::Result<std::vector<DestinationPorts>> count_ports(const EphemeralPorts& ports, std::size_t most);

}  // namespace twtrace::kernel
