// SPDX-License-Identifier: Apache-2.0
// A CPU goes offline and comes back while connections end on it.
#include <string>
#include <thread>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/hotplug_cpu.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

// Pauses, because under emulation the workload would get no time otherwise.
constexpr int kCycles = 8;
constexpr milliseconds kPause{20};

}  // namespace

TEST_CASE("a CPU that was off at the start comes: every bucket is counted") {
  if (!privileged() || !hotplug_possible()) return;
  Arena arena(split_substates());
  HotplugCpu cpu;
  REQUIRE(cpu.set(false));
  TwtraceRun& twtrace = restarted_twtrace();
  arena.run({"client-first", 61, 5023});
  REQUIRE(cpu.set(true));
  Arena later(split_substates());
  later.run({"server-first", 61, 5023, "4", nullptr, nullptr, -1, -1, 1});
  const json snapshot = twtrace.fresh();
  check_everything(snapshot, arena);
  check_everything(snapshot, later);
}

TEST_CASE("a CPU goes and comes while connections end: every bucket is counted") {
  if (!privileged() || !hotplug_possible()) return;
  Arena arena(split_substates());
  HotplugCpu cpu;
  TwtraceRun& twtrace = shared_twtrace();
  arena.spec = {"client-first", 1213, 5023};
  Workload workload(arena.spec, arena.netns);
  int cycles = 0;
  for (; cycles < kCycles && !workload.finished(); ++cycles) {
    REQUIRE(cpu.set(false));
    std::this_thread::sleep_for(kPause);
    REQUIRE(cpu.set(true));
    std::this_thread::sleep_for(kPause);
  }
  CHECK(cycles > 1);  // else the CPU did not go and come back during the workload
  arena.workload = workload.finish();
  arena.read_after();
  const json snapshot = twtrace.fresh();
  INFO(snapshot.at("lost").dump());
  check_everything(snapshot, arena);
}
