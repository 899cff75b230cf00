// SPDX-License-Identifier: Apache-2.0
// Kernel settings. Read only, because twtrace never changes one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace twtrace::kernel {

// Names as below /proc/sys. net/* is that of the calling thread's network namespace.
inline constexpr std::string_view kTcpMaxTwBuckets = "net/ipv4/tcp_max_tw_buckets";
inline constexpr std::string_view kTcpFinTimeout = "net/ipv4/tcp_fin_timeout";  ///< seconds; FIN_WAIT2 only
inline constexpr std::string_view kTcpTwReuse = "net/ipv4/tcp_tw_reuse";        ///< 0 off, 1 on, 2 loopback only
inline constexpr std::string_view kTcpTimestamps = "net/ipv4/tcp_timestamps";
inline constexpr std::string_view kIpLocalPortRange = "net/ipv4/ip_local_port_range";          ///< a pair
inline constexpr std::string_view kIpLocalReservedPorts = "net/ipv4/ip_local_reserved_ports";  ///< a list
inline constexpr std::string_view kBpfStatsEnabled = "kernel/bpf_stats_enabled";

/// The sysctl tree, or a directory that looks like it. Holds only the path: thread-safe.
class Sysctl {
 public:
  explicit Sysctl(std::filesystem::path root = "/proc/sys") : root_(std::move(root)) {}

  /// One unsigned number. kNotFound if this kernel has no such setting, kInvalid if it is not a number.
  base::Result<std::uint64_t> read_u64(std::string_view name) const;
  /// One number that may be negative.
  base::Result<std::int64_t> read_i64(std::string_view name) const;
  /// Two unsigned numbers: ip_local_port_range.
  base::Result<std::pair<std::uint64_t, std::uint64_t>> read_pair(std::string_view name) const;
  /// The raw value, without the newline.
  base::Result<std::string> read_text(std::string_view name) const;

 private:
  std::filesystem::path root_;
};

}  // namespace twtrace::kernel
