// SPDX-License-Identifier: Apache-2.0
// Runs code inside a network namespace, and reads the kernel's files in there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/unique_fd.hpp"

namespace twtrace::test {

/// Runs `action` on a thread in that namespace, and waits for it. Throws what it throws, and std::runtime_error if the
/// namespace cannot be entered.
void inside_netns(int netns_fd, const std::function<void()>& action);

/// The namespace of the calling thread. Throws std::runtime_error.
base::UniqueFd own_netns();

/// A new namespace with lo up, held only by the descriptor. Throws std::runtime_error.
base::UniqueFd new_netns();

/// Writes /proc/sys/net/ipv4/NAME of the calling thread's namespace. Throws std::runtime_error.
void write_net_sysctl(const std::string& name, const std::string& value);

/// What the kernel's files say about a namespace.
struct NetnsFacts {
  std::uint32_t inum = 0;
  std::optional<std::uint64_t> cookie;  ///< empty where there is no SO_NETNS_COOKIE (before 5.14)
  std::uint64_t limit = 0;              ///< tcp_max_tw_buckets
  std::uint64_t in_use = 0;             ///< sockstat "tw"
  std::uint64_t first_port = 0;         ///< ip_local_port_range
  std::uint64_t last_port = 0;
  std::map<std::string, std::uint64_t> counters;  ///< "TcpExt.TW", "Tcp.OutRsts" and all the others
};

/// Throws std::runtime_error.
NetnsFacts netns_facts(int netns_fd);

}  // namespace twtrace::test
