// SPDX-License-Identifier: Apache-2.0
// Namespaces that come and go, a reader that stands still, two tracers at once.
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "bpf/expect.hpp"
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
  TwtraceRun twtrace;
  Arena arena(Sysctls{});
  arena.run({"half-close", 61, 5017});
  const json before =
      twtrace.wait_for([&](const json& snapshot) { return sum_of(snapshot, arena.netns, "created") == 61; });
  check_namespace(before, arena);
  const std::uint64_t inode = arena.netns.inode();
  arena.netns.remove();
  const auto row_in = [inode](const json& snapshot) {
    for (const json& row : snapshot.at("rows")) {
      if (row.at("netns") == inode) return row;
    }
    return json();
  };
  twtrace.wait_for([&](const json& now) { return row_in(now).is_object() && row_in(now).at("live") == 0; });
  const json snapshot = twtrace.stop();
  const json row = row_in(snapshot);
  INFO(row.dump());
  CHECK(number(row, "created") == 61);
  CHECK(number(row, "live") == 0);
  CHECK((row.at("purged").is_null() || row.at("purged") == 61));
  CHECK(number(snapshot.at("lost"), "counts") == 0);
}

TEST_CASE("a reader that stands still loses events, never counts") {
  if (!privileged()) return;
  Arena arena(split_substates());
  TwtraceRun twtrace({"--ring-size", "4096"});
  twtrace.process().signal(SIGSTOP);
  arena.run({"client-first", 503, 5017});
  twtrace.process().signal(SIGCONT);
  const json snapshot = twtrace.stop();
  CHECK(number(snapshot.at("lost"), "events") > 0);
  CHECK(number(snapshot.at("lost"), "counts") == 0);
  check_namespace(snapshot, arena);
  check_owners(snapshot, arena);
}

// What tests/bench/overload.py does with as many connections as the machine can make.
TEST_CASE("a ring of 64 KiB and a reader that stands still for ten seconds: what did not fit is lost, no count") {
  if (!privileged()) return;
  constexpr std::int64_t kRecords = 65536 / 72;  // with the ring's header
  Sysctls sysctls = split_substates();
  sysctls["tcp_max_tw_buckets"] = "20000";  // a machine with 1 GiB has 4096
  Arena arena(sysctls);
  TwtraceRun twtrace({"--ring-size", "64K"});
  const json before = twtrace.fresh();
  const auto stopped = std::chrono::steady_clock::now();
  twtrace.process().signal(SIGSTOP);
  arena.run({"client-first", 5003, 5017});
  std::this_thread::sleep_until(stopped + std::chrono::seconds(10));
  twtrace.process().signal(SIGCONT);
  const json snapshot = twtrace.fresh();
  const std::int64_t lost = number(snapshot.at("lost"), "events") - number(before.at("lost"), "events");
  CHECK(lost >= sum_of(snapshot, arena.netns, "created") - kRecords);
  // No more than there was: others may fill the ring too, and where removals are seen they have events of their own.
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

TEST_CASE("two instances at once are both exact") {
  if (!privileged()) return;
  Arena arena(split_substates());
  TwtraceRun first;
  TwtraceRun second;
  arena.run({"client-first", 61, 5017});
  check_everything(first.stop(), arena);
  check_everything(second.stop(), arena);
}

TEST_CASE("SIGTERM prints the last partial interval too") {
  if (!privileged()) return;
  Arena arena(split_substates());
  TwtraceRun twtrace({}, "3600");
  arena.run({"client-first", 23, 5017});
  check_everything(twtrace.stop(SIGTERM), arena);
}

TEST_CASE("a killed instance leaves nothing that disturbs the next") {
  if (!privileged()) return;
  Arena arena(split_substates());
  {
    TwtraceRun victim;
    victim.process().signal(SIGKILL);
    REQUIRE(victim.process().wait() == 128 + SIGKILL);
  }
  TwtraceRun twtrace;
  arena.run({"client-first", 23, 5017});
  check_everything(twtrace.stop(), arena);
}
