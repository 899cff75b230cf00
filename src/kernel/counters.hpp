// SPDX-License-Identifier: Apache-2.0
// The kernel's own counters of a network namespace. twtrace checks its counts against them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "kernel/netns.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::kernel {

/// From the TcpExt lines of /proc/net/netstat; monotonic since the namespace was made.
struct TcpExt {
  std::uint64_t tw = 0;                  ///< TW: with tw_killed, buckets created since 5.18, expired before
  std::uint64_t tw_killed = 0;           ///< TWKilled
  std::uint64_t tw_recycled = 0;         ///< TWRecycled: taken over by an outgoing connect ("reused")
  std::uint64_t time_wait_overflow = 0;  ///< TCPTimeWaitOverflow: overflow + no_memory
  std::uint64_t listen_overflows = 0;
  std::uint64_t listen_drops = 0;

  bool operator==(const TcpExt&) const = default;
};

/// One namespace at one moment.
struct NetnsCounters {
  TcpExt ext;
  std::optional<std::uint64_t> out_resets;  ///< Tcp OutRsts; empty when it was not read
  std::uint64_t in_use = 0;                 ///< buckets, TIME_WAIT and FIN_WAIT2, IPv4 and IPv6 (sockstat "tw")
  std::optional<std::uint64_t> limit;       ///< tcp_max_tw_buckets; empty when it cannot be read
  std::optional<std::pair<std::uint16_t, std::uint16_t>> local_ports = {};  ///< ip_local_port_range; the same

  bool operator==(const NetnsCounters&) const = default;
};

/// Finds columns by name. kInvalid names the column that is missing or not a number.
base::Result<TcpExt> parse_netstat(std::string_view text);
/// The number of buckets in /proc/net/sockstat.
base::Result<std::uint64_t> parse_sockstat(std::string_view text);

/// All counters of a namespace, through /proc/PID/net of ref.pid; the limit only of our own namespace. The process is
/// checked to be in the namespace before and after reading, so one that moved, or whose pid was reused, is kNotFound
/// and never believed: refresh the catalog.
base::Result<NetnsCounters> read_counters(const Procfs& procfs, const NetnsRef& ref);

}  // namespace twtrace::kernel
