// SPDX-License-Identifier: Apache-2.0
// Tells fixed ports from ephemeral ones within the range that has both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "model/snapshot.hpp"

namespace twtrace::output {

/// ip_local_port_range of a namespace that nobody has changed (inet_init_net).
inline constexpr model::PortRange kUsualLocalPorts{32768, 60999};

/// The ports of one workload that are local ports of its namespace. A service may have a fixed port there, as gRPC has
/// 50051. A bound socket shows who chose its port, but the connections that it accepted do not. So a port is fixed if
/// the workload still counts on it after a while. A workload with more ports than a service configures has ephemeral
/// ones, which come up again by chance: none of its ports becomes fixed any more. Not thread-safe.
class RangePorts {
 public:
  static constexpr double kFixedAfterS = 600;
  static constexpr std::size_t kMost = 8;

  /// The workload has counted something on a port.
  void count(std::uint16_t port, double now_s);
  /// True from some count on for good.
  bool is_fixed(std::uint16_t port) const { return fixed_.contains(port); }

 private:
  std::map<std::uint16_t, double> first_s_;  ///< of ports that are not fixed
  std::set<std::uint16_t> fixed_;
  bool has_too_many_ = false;
};

}  // namespace twtrace::output
