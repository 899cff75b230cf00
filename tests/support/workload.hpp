// SPDX-License-Identifier: Apache-2.0
// tests/workloads/tw_workload as a child inside a sandbox.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "support/cgroup_sandbox.hpp"
#include "support/netns_sandbox.hpp"
#include "support/subprocess.hpp"

namespace twtrace::test {

/// Arguments of tw_workload. Null and negative mean "not given".
struct WorkloadSpec {
  std::string mode;
  int count = 13;
  int port = 5000;
  std::string family = "4";
  const CgroupSandbox* server_cgroup = nullptr;
  const CgroupSandbox* client_cgroup = nullptr;
  int server_uid = -1;
  int client_uid = -1;
  int cpu = -1;
  const CgroupSandbox* child_cgroup = nullptr;
};

/// A running workload. Throws std::runtime_error, with its output, if it does not do what it should.
class Workload {
 public:
  Workload(const WorkloadSpec& spec, const NetnsSandbox& netns);
  /// Waits until the mode holds its connections (or spins, for `innocent`).
  void wait_held();
  /// Lets a holding mode continue.
  void go_on() const { process_.write_line("go"); }
  /// True if it has ended.
  bool finished() { return process_.wait(milliseconds(0)).has_value(); }
  /// Waits until it ends, and returns its report.
  nlohmann::json finish();

 private:
  /// Describes what went wrong, with the sockets and counters of the namespace, for the test's log.
  std::string failure(std::optional<int> code) const;

  Subprocess process_;
  int netns_;  ///< of the sandbox, which outlives this
};

/// Makes the kernel count the two substates separately: a FIN_WAIT2 bucket of at most 4 s counts as TWKilled
/// (net_counters.hpp). Does nothing in emulated machines. There a peer can take longer than that to answer, and the
/// bucket would be gone.
Sysctls split_substates();

/// One workload in a private namespace, between two readings of the kernel's counters. No late segment ends a bucket
/// there. If a machine does not get its CPUs for a while, it sends its FINs again. Such a FIN finds its socket gone, so
/// the answer is a reset. That reset would end the bucket without tcp_rfc1337 (tcp_timewait_state_process).
struct Arena {
  explicit Arena(const Sysctls& sysctls, unsigned hash_chains = 0)
      : netns(sysctls, hash_chains), before(netns.counters()) {
    netns.set_sysctl("tcp_rfc1337", "1");
  }
  /// Runs the workload of `spec` to its end and reads the counters after it.
  void run();
  void run(const WorkloadSpec& new_spec) { spec = new_spec, run(); }
  /// Reads the counters again after they have stopped changing.
  void read_after() { after = netns.settled_counters(); }
  NetCounters delta() const { return after - before; }

  NetnsSandbox netns;
  NetCounters before;
  NetCounters after;
  WorkloadSpec spec;
  nlohmann::json workload;  ///< its report
};

}  // namespace twtrace::test
