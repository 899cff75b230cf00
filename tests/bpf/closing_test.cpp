// SPDX-License-Identifier: Apache-2.0
// Every way in which a connection can end, over IPv4, IPv6 and IPv4-mapped sockets. Checks the owner and the number
// against the workload and the kernel.
#include <array>
#include <csignal>

#include "bpf/expect.hpp"
#include "bpf/families.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr int kServerUid = 61013;
constexpr int kClientUid = 61023;

Families families_of(const std::string& mode, const std::array<int, 3>& counts, const Sysctls& sysctls) {
  return Families({mode, 0, 5003, "", nullptr, nullptr, kServerUid, kClientUid}, sysctls, counts);
}

void check_mode(const std::string& mode, const std::array<int, 3>& counts) {
  if (!privileged()) return;
  Families families = families_of(mode, counts, split_substates());
  families.check_all(families.run());
}

}  // namespace

TEST_CASE("the server closes first", "[quick]") { check_mode("server-first", {13, 23, 61}); }
TEST_CASE("a worker closes what its parent's listener accepted") { check_mode("worker", {23, 13, 61}); }
TEST_CASE("a server that stopped listening is still a server") { check_mode("restart", {13, 61, 23}); }
TEST_CASE("the client closes first") { check_mode("client-first", {23, 61, 13}); }
TEST_CASE("a half-close: the bucket is born while the descriptor is open") { check_mode("half-close", {61, 13, 101}); }
TEST_CASE("the owner is killed with open connections", "[quick]") { check_mode("killed", {13, 101, 23}); }
TEST_CASE("the owner exits without closing") { check_mode("exited", {101, 13, 23}); }
TEST_CASE("the last holder of an inherited descriptor is the owner") { check_mode("forked", {61, 23, 13}); }
TEST_CASE("a thread with another name closes for its process") { check_mode("thread", {23, 13, 61}); }
TEST_CASE("short-lived processes are all named") { check_mode("short-lived", {31, 13, 17}); }
TEST_CASE("orphans wait for their peers in FIN_WAIT2", "[quick]") { check_mode("orphan-fin-wait2", {61, 101, 23}); }
TEST_CASE("a reset by the closer leaves no bucket") { check_mode("rst", {13, 23, 61}); }
TEST_CASE("a reset by the peer after our FIN leaves no bucket") { check_mode("peer-rst", {23, 13, 61}); }

TEST_CASE("a close() behind a FIN that is not acknowledged yet ends nothing", "[quick]") {
  check_mode("shut-down-early", {7, 5, 3});
}

TEST_CASE("nor does it leave anything behind, also where a connection has no cookie and is kept by its address") {
  if (!privileged()) return;
  using Arguments = std::vector<std::string>;
  const auto arguments = GENERATE(Arguments{}, Arguments{"--no-feature", "socket-cookie"});
  constexpr int kCount = 7;
  TwtraceRun twtrace(arguments, "3600");
  Arena arena(split_substates());
  twtrace.process().signal(SIGSTOP);  // no scan sweeps meanwhile
  arena.run({"shut-down-early", kCount, 5003, "4", nullptr, nullptr, kServerUid, kClientUid});
  CHECK(map_entries(twtrace.process().pid(), "sockets") < kCount);
  twtrace.process().signal(SIGCONT);
  check_everything(twtrace.stop(), arena);
}

TEST_CASE("a socket that is connected again owns its buckets, which have one cookie") {
  check_mode("reconnect", {13, 7, 5});
}
TEST_CASE("a connection that is abandoned for another leaves the other its own owner") {
  check_mode("abandoned", {5, 7, 13});
}

TEST_CASE("connections whose cookies end in the same bits keep their owners") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  Arena arena(split_substates());
  // Finding such a cookie takes seconds under emulation.
  const int count = exact_under_steering() ? 2 : 3;
  arena.run({"like-cookies", count, 5003, "4", nullptr, nullptr, kServerUid, kClientUid});
  const json snapshot = twtrace.fresh();
  check_everything(snapshot, arena);
  // One has the slot, and the others are in the map, beside those from before the start. The number of slots also
  // depends on the limits of other namespaces.
  CHECK(map_entries(twtrace.process().pid(), "buckets") >= static_cast<std::size_t>(count - 1));
}

TEST_CASE("with a long tcp_fin_timeout a close always ends in TIME_WAIT") {
  if (!privileged()) return;
  const std::string mode = GENERATE("server-first", "client-first", "exited");
  Families families = families_of(mode, {61, 23, 13}, {{"tcp_fin_timeout", "120"}});
  const json snapshot = families.run();
  for (const auto& arena : families.arenas) {
    arena->workload["stage"] = "time_wait";
    check_nothing_lost(snapshot);
    check_namespace(snapshot, *arena);
    check_owners(snapshot, *arena);
  }
}

TEST_CASE("both ends close at the same time") {
  if (!privileged()) return;
  Families families = families_of("simultaneous", {61, 23, 13}, split_substates());
  const json snapshot = families.run();
  for (const auto& arena : families.arenas) {
    INFO(arena->workload.dump() << " family " << arena->spec.family);
    check_nothing_lost(snapshot);
    check_namespace(snapshot, *arena);
    const std::int64_t count = arena->spec.count;
    for (const json& owner : arena->workload.at("owners")) {
      const json row = row_of(snapshot, arena->netns, owner.at("pid"));
      if (row.is_null()) continue;  // the other end was always first
      check_identity(row, owner, *arena);
      CHECK(number(row, "created") <= count);
    }
    CHECK(number(namespace_entry(snapshot, arena->netns), "created") >= count);
    const auto rows = rows_of(snapshot, arena->netns);
    INFO(json(rows).dump());
    CHECK(rows.size() <= 2);
  }
}
