// SPDX-License-Identifier: Apache-2.0
// Command line of tw_workload.
#pragma once

#include <cstdint>
#include <string>

namespace twtrace::workload {

enum class Family { kIpv4, kIpv6, kMapped };

/// What to do, and as whom. Empty or negative means "leave as it is".
struct Options {
  std::string mode;
  int count = 1;              ///< connections
  std::uint16_t port = 5000;  ///< of the listener; source ports of reuse and syn-recycle start 1000 above it
  Family family = Family::kIpv4;
  std::string cgroup_server;  ///< cgroup directory that the server process joins before it opens sockets
  std::string cgroup_client;
  std::string cgroup_child;  ///< of the child in the mode `activated`
  int uid_server = -1;
  int uid_client = -1;
  int cpu = -1;  ///< pins every process of the workload
};

/// Reads the arguments; prints usage and exits with code 2 when they make no sense.
Options parse_options(int argc, char** argv);

}  // namespace twtrace::workload
