// SPDX-License-Identifier: Apache-2.0
// Namespaces that come and go, a twtrace that is stopped for a while, two tracers at once.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bpf/expect.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

TEST_CASE("a namespace that appears while twtrace runs is exact") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  Arena arena(split_substates());
  arena.run({"server-first", 61, 5017});
  check_everything(twtrace.fresh(), arena);
}

TEST_CASE("the numbers of a namespace that is deleted stay", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  Arena arena(Sysctls{});
  arena.run({"half-close", 61, 5017});
  const json before =
      twtrace.wait_for([&](const json& snapshot) { return sum_of(snapshot, arena.netns, "created") == 61; });
  check_namespace(before, arena);
  // A namespace of an earlier test may have had the same inode number. The newest one has the highest id.
  std::uint64_t id = 0;
  for (const json& row : before.at("rows")) {
    if (row.at("netns") == arena.netns.inode()) id = std::max(id, row.at("netns_id").get<std::uint64_t>());
  }
  const auto row_in = [id](const json& snapshot) {
    for (const json& row : snapshot.at("rows")) {
      if (row.at("netns_id") == id) return row;
    }
    return json();
  };
  const auto is_live = [&](const json& now, int live) {
    return row_in(now).is_object() && row_in(now)["live"] == live;
  };
  // Where scans count live buckets, the next scan finds these. They stay until the kernel has purged the namespace.
  twtrace.wait_for([&](const json& now) { return is_live(now, 61); });
  arena.netns.remove();
  twtrace.wait_for([&](const json& now) { return is_live(now, 0); });
  const json snapshot = stop_shared_twtrace();  // the next namespace may have this one's inode number
  const json row = row_in(snapshot);
  INFO(row.dump());
  CHECK(number(row, "created") == 61);
  CHECK(number(row, "live") == 0);
  CHECK((row.at("purged").is_null() || row.at("purged") == 61));
  CHECK(number(snapshot.at("lost"), "counts") == 0);
}

TEST_CASE("the programs that read the kernel's tables are loaded once, whoever reads") {
  if (!privileged()) return;
  const std::vector<std::string> held = programs_held(shared_twtrace().process().pid());
  for (const std::string_view reader : {"read_namespaces", "walk_sockets", "learn_cpus"}) {
    INFO(reader);
    CHECK(std::count(held.begin(), held.end(), reader) == 1);
  }
}

// tests/bench/overload.py does the same with as many connections as the machine can make.
TEST_CASE("a ring of 64 KiB and a reader that stands still for ten seconds: what did not fit is lost, no count") {
  if (!privileged()) return;
  // Emulation is slow, so fewer connections overflow the ring there.
  const int kConnections = exact_under_steering() ? 1503 : 5003;
  const std::chrono::seconds kStandstill(exact_under_steering() ? 3 : 10);
  constexpr std::int64_t kRecords = 65536 / 72;  // with the ring's header
  Sysctls sysctls = split_substates();
  sysctls["tcp_max_tw_buckets"] = "20000";  // a machine with 1 GiB has 4096
  Arena arena(sysctls);
  TwtraceRun twtrace({"--ring-size", "64K"});
  const json before = twtrace.fresh();
  const auto stopped = std::chrono::steady_clock::now();
  twtrace.process().signal(SIGSTOP);
  arena.run({"client-first", kConnections, 5017});
  std::this_thread::sleep_until(stopped + kStandstill);
  twtrace.process().signal(SIGCONT);
  const json snapshot = twtrace.fresh();
  const std::int64_t lost = number(snapshot.at("lost"), "events") - number(before.at("lost"), "events");
  CHECK(lost >= sum_of(snapshot, arena.netns, "created") - kRecords);
  // At most as many as there were. Other connections may fill the ring, too. A backend that sees removals sends events
  // for them, too.
  std::int64_t made = 0;
  for (const char* field : {"created", "overflow", "no_memory", "reused", "recycled", "expired", "purged"}) {
    const auto of = [&](const json& at) { return at.at(field).is_null() ? 0 : number(at, field); };
    made += of(snapshot.at("totals")) - of(before.at("totals"));
  }
  CHECK(lost <= made);
  CHECK(number(snapshot.at("lost"), "counts") == 0);
  check_namespace(snapshot, arena);
  check_owners(snapshot, arena);
}

// One case for all steps, because attaching takes seconds in an emulated machine.
TEST_CASE("two instances at once are both exact, a killed one disturbs neither the other nor the next") {
  if (!privileged()) return;
  Arena arena(split_substates());
  TwtraceRun victim;
  TwtraceRun other;
  arena.run({"client-first", 61, 5017});
  check_everything(victim.fresh(), arena);
  check_everything(other.fresh(), arena);

  victim.process().signal(SIGKILL);
  REQUIRE(victim.process().wait() == 128 + SIGKILL);
  TwtraceRun next({}, "3600");  // SIGTERM prints the last partial interval too
  Arena later(split_substates());
  later.run({"client-first", 23, 5017});
  check_everything(next.stop(SIGTERM), later);
  const json last = other.stop();
  check_everything(last, arena);
  check_everything(last, later);
}
