// SPDX-License-Identifier: Apache-2.0
// One workload over IPv4, IPv6 and IPv4-mapped sockets.
#pragma once

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "support/workload.hpp"

namespace twtrace::test {

/// The same mode on the same port in three namespaces, one per family. Each has its own prime count, so a row that
/// mixes two families has a wrong number.
struct Families {
  /// Like `common`, except for the family, the count and the cgroups below.
  Families(const WorkloadSpec& common, const Sysctls& sysctls, const std::array<int, 3>& counts);

  /// Runs all three to the end.
  void run_workloads();
  /// The same under the shared twtrace. Returns its snapshot.
  nlohmann::json run();
  /// Calls check_everything() for each. Also checks that the kernel created every bucket of the workload.
  void check_all(const nlohmann::json& snapshot) const;

  CgroupSandbox server_cgroup{"server"};
  CgroupSandbox client_cgroup{"client"};
  std::vector<std::unique_ptr<Arena>> arenas;
};

}  // namespace twtrace::test
