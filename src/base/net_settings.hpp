// SPDX-License-Identifier: Apache-2.0
// The settings of a network namespace: read by kernel, kept by captures, judged by the doctor and by reports.
#pragma once

#include <cstdint>
#include <optional>

namespace twtrace::base {

/// The settings that affect a namespace's TIME_WAIT table and its listen queues. A value is empty if this kernel has no
/// such setting, or if it could not be read.
struct NetSettings {
  std::optional<std::uint64_t> limit;          ///< tcp_max_tw_buckets
  std::optional<std::uint64_t> default_limit;  ///< the kernel's own: half of its hash table (tcp_sk_init)
  std::optional<std::uint64_t> fin_timeout_s;  ///< tcp_fin_timeout
  std::optional<std::uint64_t> tw_reuse;       ///< tcp_tw_reuse: 0 off, 1 on, 2 loopback only
  std::optional<std::uint64_t> timestamps;     ///< tcp_timestamps: 0 off, 1 on, 2 on without a random offset
  std::optional<std::uint64_t> syn_backlog;    ///< tcp_max_syn_backlog
  std::optional<std::uint64_t> somaxconn;
  std::optional<std::uint64_t> ephemeral_ports;  ///< ip_local_port_range without ip_local_reserved_ports
};

}  // namespace twtrace::base
