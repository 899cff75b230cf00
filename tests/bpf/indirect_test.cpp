// SPDX-License-Identifier: Apache-2.0
// The owner does not call close() itself: it inherited the listener, or io_uring or a kernel thread closes.
#include <unistd.h>

#include <array>
#include <list>
#include <vector>

#include "bpf/expect.hpp"
#include "bpf/families.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/kernel_can.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr int kServerUid = 61013;
constexpr int kClientUid = 61023;
constexpr const char* kMptcp = "../mptcp/enabled";  // relative to net.ipv4

// Switches MPTCP on, whatever the distribution's default is.
Sysctls sysctls(const std::string& mode) {
  Sysctls all = split_substates();
  if (mode == "mptcp") all[kMptcp] = "1";
  return all;
}

Families families_of(const std::string& mode, const std::array<int, 3>& counts, int server_uid = -1) {
  return Families({mode, 0, 5021, "", nullptr, nullptr, server_uid, kClientUid}, sysctls(mode), counts);
}

void check_owned_by_process(const std::string& mode, const std::array<int, 3>& counts) {
  Families families = families_of(mode, counts);
  families.check_all(families.run());
}

// Checks the row of one end of an MPTCP connection. If the process closed its subflows itself, the row names it. If
// not, the row has what the sockets remember.
void check_mptcp_row(const json& row, const Arena& arena) {
  INFO("row " << row.dump());
  CHECK(number(row, "created") <= arena.spec.count);
  CHECK(number(row, "overflow") == 0);
  for (const json& owner : arena.workload.at("owners")) {
    if (owner.at("role") != row.at("role")) continue;
    if (row.at("attribution") == "closer") return check_identity(row, owner, arena);
    return check_remembered(row, owner.at("role"), arena);
  }
  FAIL("a row in the role of neither end");
}

}  // namespace

TEST_CASE("a listener handed down: the row is the service's that closes") {
  if (!privileged()) return;
  const CgroupSandbox child_cgroup("child");
  Families families = families_of("activated", {61, 13, 23});
  for (const auto& arena : families.arenas) arena->spec.child_cgroup = &child_cgroup;
  const json snapshot = families.run();
  for (const auto& arena : families.arenas) {
    arena->spec.server_cgroup = &child_cgroup;  // the expected service of the owner
    check_everything(snapshot, *arena);
  }
}

TEST_CASE("closed through io_uring: the process is the owner") {
  if (privileged() && io_uring_possible()) check_owned_by_process("io-uring", {61, 23, 13});
}

TEST_CASE("closed by an io_uring worker: its process is the owner") {
  if (privileged() && io_uring_workers_possible()) check_owned_by_process("io-uring-worker", {23, 61, 13});
}

TEST_CASE("closed by a kernel thread for a process that is gone: service and uid, no process") {
  if (!privileged() || !io_uring_possible()) return;
  Families families = families_of("io-uring-exit", {61, 13, 23});
  const json snapshot = families.run();
  check_nothing_lost(snapshot);
  for (const auto& arena : families.arenas) {
    INFO(arena->workload.dump() << " family " << arena->spec.family);
    check_namespace(snapshot, *arena);
    const std::vector<json> rows = rows_of(snapshot, arena->netns);
    REQUIRE(rows.size() == 1);
    check_remembered(rows[0], "client", *arena);
    CHECK(number(rows[0], "created") == arena->spec.count);
  }
}

// A timer sends the answer of the handshake again, on any CPU. A process is current on each of them.
TEST_CASE("a FIN that the kernel sends later blames nobody who happens to run") {
  if (!privileged()) return;
  const CgroupSandbox cgroup("server");
  Arena arena(Sysctls{{"tcp_fastopen", "519"}, {"tcp_fin_timeout", "120"}});  // both ends, without cookies
  TwtraceRun& twtrace = shared_twtrace();
  std::list<Workload> innocent;
  for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); ++cpu) {
    innocent.emplace_back(WorkloadSpec{"innocent", 1, 5021, "4", nullptr, nullptr, -1, -1, cpu}, arena.netns);
    innocent.back().wait_held();
  }
  arena.run({"fast-open", 5, 5021, "4", &cgroup, nullptr, 0, kClientUid});  // who may not attach a filter
  const json snapshot = twtrace.fresh();
  check_nothing_lost(snapshot);
  check_namespace(snapshot, arena);
  const std::vector<json> rows = rows_of(snapshot, arena.netns);
  REQUIRE(rows.size() == 1);
  CHECK(number(rows[0], "created") == 5);
  if (rows[0].at("attribution") == "closer") {  // the kernel has not waited
    check_identity(rows[0], arena.workload.at("owners").at(0), arena);
  } else {
    check_remembered(rows[0], "server", arena);
  }
}

TEST_CASE("MPTCP: exact, and nobody but the two ends is named") {
  if (!privileged() || !mptcp_possible()) return;
  Families families = families_of("mptcp", {61, 13, 23}, kServerUid);
  const json snapshot = families.run();
  check_nothing_lost(snapshot);
  for (const auto& arena : families.arenas) {
    INFO(arena->workload.dump() << " family " << arena->spec.family);
    check_namespace(snapshot, *arena);
    CHECK(number(namespace_entry(snapshot, arena->netns), "created") >= arena->spec.count);
    for (const json& row : rows_of(snapshot, arena->netns)) check_mptcp_row(row, *arena);
  }
}

TEST_CASE("workload: the indirect modes do to the kernel what they say", "[ruler]") {
  if (!privileged()) return;
  const std::string mode = GENERATE("activated", "io-uring", "io-uring-worker", "io-uring-exit", "mptcp");
  if (mode == "mptcp" ? !mptcp_possible() : mode != "activated" && !io_uring_possible()) return;
  const std::string family = GENERATE("4", "6", "mapped");
  INFO(mode << " " << family);
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  if (mode == "mptcp") arena.netns.set_sysctl(kMptcp, "1");
  arena.run({mode, 23, 5021, family});
  CHECK(arena.delta().overflow == 0);
  CHECK(arena.delta().in_use >= number(arena.workload, "buckets"));
  CHECK(arena.delta().in_use <= number(arena.workload, "buckets_max"));
}
