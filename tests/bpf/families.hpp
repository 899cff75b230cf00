// SPDX-License-Identifier: Apache-2.0
// One workload over IPv4, IPv6 and IPv4-mapped sockets.
#pragma once

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "support/workload.hpp"

namespace twtrace::test {

/// The same mode on the same port in three namespaces, one per family, with a prime count each: a row that mixes two of
/// them up cannot have the right number.
struct Families {
  /// `common` but for the family, the count and the cgroups, which are those below.
  Families(const WorkloadSpec& common, const Sysctls& sysctls, const std::array<int, 3>& counts);

  /// Runs the three to their ends.
  void run_workloads();
  /// The same under the shared twtrace; returns its snapshot.
  nlohmann::json run();
  /// check_everything() for each, and that every bucket that the workload promised was created.
  void check_all(const nlohmann::json& snapshot) const;

  CgroupSandbox server_cgroup{"server"};
  CgroupSandbox client_cgroup{"client"};
  std::vector<std::unique_ptr<Arena>> arenas;
};

}  // namespace twtrace::test
