// SPDX-License-Identifier: Apache-2.0
// Receive packet steering. Every softirq of the workload runs on another CPU, where an innocent process is current.
#include <unistd.h>

#include <optional>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

bool steering_possible(const Arena& arena) {
  if (sysconf(_SC_NPROCESSORS_ONLN) >= 2 && arena.netns.steer_softirqs_to(1)) return true;
  mark_skipped("needs two CPUs and receive packet steering");
  return false;
}

struct Steered {
  std::string mode;
  int count;
  bool idle;  ///< no process spins on the CPU of the softirqs
};

// The rows that do not belong to an owner, for the message of a failure.
std::string others(const json& snapshot, const Arena& arena) {
  std::string text = namespace_entry(snapshot, arena.netns).dump();
  for (const json& row : rows_of(snapshot, arena.netns)) {
    if (row.at("attribution") != "closer") text += "\n" + row.dump();
  }
  return text + "\n" + snapshot.at("lost").dump();
}

void check_steered(const Steered& steered) {
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  if (!steering_possible(arena)) return;
  std::optional<Workload> innocent;
  if (!steered.idle) {
    innocent.emplace(WorkloadSpec{"innocent", 1, 5019, "4", nullptr, nullptr, -1, -1, 1}, arena.netns);
    innocent->wait_held();
  }
  TwtraceRun& twtrace = shared_twtrace();
  arena.run({steered.mode, steered.count, 5019, "4", nullptr, nullptr, -1, -1, 0});
  const json snapshot = twtrace.fresh();

  INFO(others(snapshot, arena));
  if (arena.delta().created() != 0) CHECK(arena.delta().created() == steered.count);  // not before 5.18
  CHECK(number(snapshot.at("lost"), "counts") == 0);
  check_honest(snapshot, arena);
  // A bucket that no program saw is not from before the start, and has no owner.
  CHECK(number(namespace_entry(snapshot, arena.netns), "pre_existing") == 0);
  const bool exact = exact_under_steering();
  check_no_innocent(snapshot, arena, exact);
  if (exact) check_namespace(snapshot, arena);
}

// Emulation is exact but slow, so it gets fewer.
int sized(int count, int emulated) { return exact_under_steering() ? emulated : count; }

}  // namespace

TEST_CASE("steered: the server closes first") {
  if (privileged()) check_steered({"server-first", sized(1009, 251), false});
}

TEST_CASE("steered: the client closes first") {
  if (privileged()) check_steered({"client-first", sized(1009, 251), false});
}

TEST_CASE("steered: the owner is killed") {
  if (privileged()) check_steered({"killed", sized(503, 151), false});
}

TEST_CASE("steered: short-lived processes", "[quick]") {
  if (privileged()) check_steered({"short-lived", sized(101, 23), false});
}

TEST_CASE("steered to an idle CPU: what is missed is stated to the unit") {
  if (privileged()) check_steered({GENERATE("server-first", "client-first"), sized(2003, 401), true});
}
