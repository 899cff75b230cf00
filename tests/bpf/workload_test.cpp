// SPDX-License-Identifier: Apache-2.0
// Tests the workloads without twtrace, because the other tests measure twtrace with them.
#include <unistd.h>

#include <cstddef>
#include <deque>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace twtrace::test;

namespace {

// Kernels before 5.18 count at expiry. There, only the gauge can be checked.
bool counts_creation(const Arena& arena) {
  return arena.delta().created() != 0 || number(arena.workload, "buckets") == 0;
}

void check_against_kernel(const Arena& arena) {
  INFO(arena.workload.dump());
  const std::int64_t buckets = number(arena.workload, "buckets");
  const std::int64_t removed = number(arena.workload, "reused") + number(arena.workload, "recycled");
  CHECK(arena.delta().overflow == 0);
  CHECK(arena.delta().reused == number(arena.workload, "reused"));
  CHECK(arena.delta().in_use == buckets - removed);
  if (!counts_creation(arena)) return;
  CHECK(arena.delta().created() == buckets);
  if (arena.workload.at("stage") == "time_wait") CHECK(arena.delta().tw == buckets);
  if (exact_under_steering()) return;  // see split_substates
  if (arena.workload.at("stage") == "fin_wait2") CHECK(arena.delta().tw_killed == buckets);
}

}  // namespace

TEST_CASE("workload: every mode does to the kernel what it says", "[ruler]") {
  if (!privileged()) return;
  const std::string mode =
      GENERATE("server-first", "worker", "restart", "client-first", "half-close", "killed", "exited", "forked",
               "shut-down-early", "thread", "short-lived", "orphan-fin-wait2", "rst", "peer-rst", "reconnect",
               "abandoned", "reuse", "reuse-after-syn", "syn-recycle");
  Sysctls sysctls = split_substates();
  sysctls["tcp_tw_reuse"] = "1";
  // The families side by side, because most of the time goes into waiting.
  std::deque<Arena> arenas;
  std::deque<Workload> workloads;
  for (const char* family : {"4", "6", "mapped"}) {
    Arena& arena = arenas.emplace_back(sysctls);
    arena.spec = {mode, 23, 5001, family};
    workloads.emplace_back(arena.spec, arena.netns);
  }
  for (std::size_t i = 0; i < arenas.size(); ++i) arenas[i].workload = workloads[i].finish();
  for (Arena& arena : arenas) {
    INFO(mode << " " << arena.spec.family);
    arena.read_after();
    check_against_kernel(arena);
  }
}

TEST_CASE("workload: the outcome comes after the hold", "[ruler]") {
  if (!privileged()) return;
  const std::string mode = GENERATE("closed-before-start", "orphaned-before-start");
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  arena.spec = {mode, 23, 5001};
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  CHECK(arena.netns.settled_counters() == arena.before);
  workload.go_on();
  arena.workload = workload.finish();
  arena.read_after();
  check_against_kernel(arena);
}

TEST_CASE("workload: a full table refuses the rest", "[ruler]") {
  if (!privileged()) return;
  const std::string mode = GENERATE("half-close", "orphan-fin-wait2", "killed");
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "61"}});
  arena.run({mode, 149, 5001});
  CHECK(arena.after.in_use + arena.delta().overflow == 149);
  CHECK(arena.after.in_use >= 61);
  CHECK(arena.after.in_use < 61 + sysconf(_SC_NPROCESSORS_ONLN));  // see refused_of in overflow_test.cpp
}

TEST_CASE("workload: sandboxes are private", "[ruler]") {
  if (!privileged()) return;
  Arena busy(Sysctls{{"tcp_max_tw_buckets", "1000"}});
  Arena idle(Sysctls{{"tcp_max_tw_buckets", "2000"}});
  busy.run({"server-first", 23, 5001});
  idle.read_after();
  CHECK(idle.delta() == NetCounters{});
  CHECK(busy.netns.inode() != idle.netns.inode());
  CHECK(busy.netns.limit() == 1000);
  CHECK(idle.netns.limit() == 2000);
}
