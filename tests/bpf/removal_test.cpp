// SPDX-License-Identifier: Apache-2.0
// How buckets end. A backend that cannot see why a bucket ended says null. Then the tests check only the gauges.
#include <algorithm>
#include <list>
#include <vector>

#include "bpf/expect.hpp"
#include "bpf/families.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

// If the backend sees reasons, `reason` must be exact, and the others zero.
void check_reason(const json& row, const std::string& reason, std::int64_t count) {
  for (const std::string field : {"expired", "reused", "recycled", "purged"}) {
    INFO(field << " of " << row.dump());
    if (row.at(field).is_null()) continue;
    CHECK(row.at(field) == (field == reason ? count : 0));
  }
}

// The only row of the namespace. Null if there is none or more than one.
json only_row(const json& snapshot, const Arena& arena) {
  const std::vector<json> rows = rows_of(snapshot, arena.netns);
  return rows.size() == 1 ? rows[0] : json();
}

// True if no bucket is left. It asks the kernel, too, because a row may be waiting for its first scan.
bool is_empty(const json& snapshot, const Arena& arena) {
  const json row = only_row(snapshot, arena);
  return row.is_object() && row.at("live") == 0 && namespace_entry(snapshot, arena.netns).at("in_use") == 0;
}

// Waits until no arena has a bucket. Returns a later snapshot.
json wait_for_removal(TwtraceRun& twtrace, const std::vector<const Arena*>& arenas) {
  twtrace.wait_for([&](const json& snapshot) {
    return std::all_of(arenas.begin(), arenas.end(), [&](const Arena* arena) { return is_empty(snapshot, *arena); });
  });
  return twtrace.fresh();
}

// The number of buckets. If the peer acknowledges the FIN while close() still holds the socket, and tcp_fin_timeout is
// short, the orphan leaves no bucket: its keepalive timer ends it with a reset (tcp_rcv_state_process,
// tcp_keepalive_timer). This was seen on 6.1 in an emulated machine.
std::int64_t buckets_of(const json& snapshot, const Arena& arena) {
  const json by_kernel = namespace_entry(snapshot, arena.netns).at("kernel").at("created");
  if (!exact_under_steering() || by_kernel.is_null()) return arena.spec.count;
  CHECK(by_kernel <= arena.spec.count);
  CHECK(by_kernel >= arena.spec.count - 3);
  return by_kernel;
}

void check_removed(const json& snapshot, const Arena& arena, const std::string& reason) {
  check_nothing_lost(snapshot);
  check_namespace(snapshot, arena);
  const json row = only_row(snapshot, arena);
  const json& owner = arena.workload.at("owners").at(0);
  const std::int64_t count = buckets_of(snapshot, arena);
  CHECK(number(row, "created") == count);
  CHECK(number(row, "live") == 0);
  CHECK(row.at("process").at("comm") == owner.at("comm"));
  CHECK(row.at("role") == owner.at("role"));
  CHECK(row.at("port") == arena.spec.port);
  CHECK(number(namespace_entry(snapshot, arena.netns), "in_use") == 0);
  check_reason(row, reason, count);
}

// Checks that all buckets of the mode end for this reason, over each family.
void check_families_removed(const std::string& mode, const Sysctls& sysctls, const std::string& reason) {
  Families families({mode, 0, 5013}, sysctls, {23, 13, 31});
  TwtraceRun& twtrace = shared_twtrace();
  families.run_workloads();
  std::vector<const Arena*> arenas;
  for (const auto& arena : families.arenas) arenas.push_back(arena.get());
  const json snapshot = wait_for_removal(twtrace, arenas);
  for (const Arena* arena : arenas) {
    INFO(arena->workload.dump() << " family " << arena->spec.family);
    CHECK(arena->delta().reused == (reason == "reused" ? arena->spec.count : 0));
    check_removed(snapshot, *arena, reason);
  }
}

}  // namespace

TEST_CASE("live is what the kernel holds") {
  if (!privileged()) return;
  shared_twtrace();
  std::list<Arena> arenas;
  for (const std::string mode : {"server-first", "killed", "orphan-fin-wait2"}) {
    arenas.emplace_back(Sysctls{}).run({mode, 61, 5013});
  }
  const json snapshot = stop_shared_twtrace();  // the last snapshot always scans the tables
  for (const Arena& arena : arenas) {
    INFO(arena.spec.mode);
    check_honest(snapshot, arena);
    const json row = row_of(snapshot, arena.netns, arena.workload.at("owners").at(0).at("pid"));
    CHECK(number(row, "created") == 61);
    CHECK(number(row, "live") == arena.after.in_use);
    CHECK(arena.netns.counters() == arena.after);
    CHECK(arena.after.in_use == 61);
    check_reason(row, "", 0);
  }
}

TEST_CASE("buckets that expire") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "1"}});
  TwtraceRun& twtrace = shared_twtrace();
  arena.spec = {"orphaned-before-start", 61, 5013};
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  REQUIRE(wait_until([&] { return arena.netns.counters().in_use == 0; }));
  workload.go_on();  // the peers close, but nobody answers
  arena.workload = workload.finish();
  arena.read_after();
  check_removed(wait_for_removal(twtrace, {&arena}), arena, "expired");
}

TEST_CASE("buckets that a connect takes over") {
  if (!privileged()) return;
  check_families_removed("reuse", {{"tcp_tw_reuse", "1"}}, "reused");
}

TEST_CASE("buckets that a SYN does not kill, because nobody listens, and that a connect takes over") {
  if (!privileged()) return;
  check_families_removed("reuse-after-syn", {{"tcp_tw_reuse", "1"}}, "reused");
}

TEST_CASE("buckets that a SYN kills", "[quick]") {
  if (!privileged()) return;
  check_families_removed("syn-recycle", {}, "recycled");
}

TEST_CASE("buckets that ss -K destroys") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  TwtraceRun& twtrace = shared_twtrace();
  arena.run({"half-close", 61, 5013});
  Subprocess({"ss", "-K", "-tn", "state", "time-wait"}, arena.netns.fd()).wait();
  arena.read_after();
  if (arena.after.in_use == 61) return mark_skipped("this kernel destroys no buckets");
  check_removed(wait_for_removal(twtrace, {&arena}), arena, "purged");
}

TEST_CASE("a row keeps its pid when its process and all its buckets are gone") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  TwtraceRun& twtrace = shared_twtrace();
  arena.run({"syn-recycle", 23, 5013});
  wait_for_removal(twtrace, {&arena});
  for (int retirement = 0; retirement < 3; ++retirement) twtrace.fresh();  // it takes two scans
  check_identity(only_row(twtrace.fresh(), arena), arena.workload.at("owners").at(0), arena);
}
