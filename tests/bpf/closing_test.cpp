// SPDX-License-Identifier: Apache-2.0
// Every way a connection can end, over IPv4, IPv6 and IPv4-mapped sockets: who, how many, and what the kernel says.
#include <array>
#include <catch2/catch.hpp>
#include <memory>

#include "bpf/expect.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr int kServerUid = 61013;
constexpr int kClientUid = 61023;

// A FIN_WAIT2 bucket of at most 4 s is what the kernel counts as TWKilled: so it tells the substates apart.
const Sysctls kSplitSubstates = {{"tcp_fin_timeout", "4"}};

struct Families {
  CgroupSandbox server_cgroup{"server"};
  CgroupSandbox client_cgroup{"client"};
  std::vector<std::unique_ptr<Arena>> arenas;
  json snapshot;
};

// The mode in three namespaces, on the same port, with three different prime counts.
void run_mode(Families& families, const std::string& mode, const Sysctls& sysctls, const std::array<int, 3>& counts) {
  const std::array<std::string, 3> names = {"4", "6", "mapped"};
  for (std::size_t i = 0; i < names.size(); ++i) families.arenas.push_back(std::make_unique<Arena>(sysctls));
  TwtraceRun& twtrace = shared_twtrace();
  for (std::size_t i = 0; i < names.size(); ++i) {
    families.arenas[i]->run(
        {mode, counts[i], 5003, names[i], &families.server_cgroup, &families.client_cgroup, kServerUid, kClientUid});
  }
  families.snapshot = twtrace.fresh();
}

void check_mode(const std::string& mode, const std::array<int, 3>& counts) {
  if (!privileged()) return;
  Families families;
  run_mode(families, mode, kSplitSubstates, counts);
  for (const auto& arena : families.arenas) {
    CHECK(number(namespace_entry(families.snapshot, arena->netns), "created") == number(arena->workload, "buckets"));
    check_everything(families.snapshot, *arena);
  }
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

TEST_CASE("with a long tcp_fin_timeout a close always ends in TIME_WAIT") {
  if (!privileged()) return;
  const std::string mode = GENERATE("server-first", "client-first", "exited");
  Families families;
  run_mode(families, mode, {{"tcp_fin_timeout", "120"}}, {61, 23, 13});
  for (const auto& arena : families.arenas) {
    arena->workload["stage"] = "time_wait";
    check_nothing_lost(families.snapshot);
    check_namespace(families.snapshot, *arena);
    check_owners(families.snapshot, *arena);
  }
}

TEST_CASE("both ends close at the same time") {
  if (!privileged()) return;
  Families families;
  run_mode(families, "simultaneous", kSplitSubstates, {61, 23, 13});
  for (const auto& arena : families.arenas) {
    INFO(arena->workload.dump() << " family " << arena->spec.family);
    check_nothing_lost(families.snapshot);
    check_namespace(families.snapshot, *arena);
    const std::int64_t count = arena->spec.count;
    for (const json& owner : arena->workload.at("owners")) {
      const json row = row_of(families.snapshot, arena->netns, owner.at("pid"));
      if (row.is_null()) continue;  // the other end was first every time
      check_identity(row, owner, *arena);
      CHECK(number(row, "created") <= count);
    }
    CHECK(number(namespace_entry(families.snapshot, arena->netns), "created") >= count);
    const auto rows = rows_of(families.snapshot, arena->netns);
    INFO(json(rows).dump());
    CHECK(rows.size() <= 2);
  }
}
