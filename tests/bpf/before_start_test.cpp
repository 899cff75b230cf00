// SPDX-License-Identifier: Apache-2.0
// Connections and buckets from before the start. twtrace marks them, and never guesses their owner.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr int kClientUid = 61023;

// A workload that holds its connections in a namespace of its own.
struct Held {
  Held(const std::string& mode, const std::string& family, const CgroupSandbox& server, const CgroupSandbox& client)
      // Above 60, an orphan stays a full socket in FIN_WAIT2. It gets its bucket only when the peer closes.
      : arena(Sysctls{{"tcp_fin_timeout", "120"}}),
        workload((arena.spec = {mode, 61, 5009, family, &server, &client, -1, kClientUid}), arena.netns) {
    workload.wait_held();
  }

  void finish() {
    workload.go_on();
    arena.workload = workload.finish();
    arena.read_after();
  }

  Arena arena;
  Workload workload;
};

}  // namespace

TEST_CASE("closed or orphaned before the start: service and uid, no process") {
  if (!privileged()) return;
  const CgroupSandbox server_cgroup("server");
  const CgroupSandbox client_cgroup("client");
  std::vector<std::unique_ptr<Held>> all;
  for (const std::string mode : {"closed-before-start", "orphaned-before-start"}) {
    for (const std::string family : {"4", "6", "mapped"}) {
      all.push_back(std::make_unique<Held>(mode, family, server_cgroup, client_cgroup));
    }
  }
  TwtraceRun& twtrace = restarted_twtrace();
  for (const auto& held : all) held->finish();
  const json snapshot = twtrace.fresh();

  check_nothing_lost(snapshot);
  for (const auto& held : all) {
    const Arena& arena = held->arena;
    INFO(arena.workload.dump() << " family " << arena.spec.family);
    check_namespace(snapshot, arena);
    const std::vector<json> rows = rows_of(snapshot, arena.netns);
    REQUIRE(rows.size() == 1);
    check_remembered(rows[0], "client", arena);
    CHECK(number(rows[0], "time_wait") == 61);
  }
}

// The namespace has no bucket, so a scan finds only the sockets there.
TEST_CASE("sockets that are long in coming to their end keep their owner") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  arena.spec = {"closed-before-start", 61, 5009};
  TwtraceRun& twtrace = shared_twtrace();
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  std::set<json> scans;
  twtrace.wait_for([&](const json& seen) {
    if (seen.at("live_age_s") < seen.at("interval_s")) scans.insert(seen.at("time"));
    return scans.size() > 4;
  });
  REQUIRE(scans.size() > 4);
  workload.go_on();
  arena.workload = workload.finish();
  arena.read_after();
  const json snapshot = twtrace.fresh();
  check_namespace(snapshot, arena);
  check_owners(snapshot, arena);
}

TEST_CASE("buckets from before the start are pre-existing and nobody's") {
  if (!privileged()) return;
  const std::string range = GENERATE("32768 60999", "5000 60999");  // connect() may choose the server's port, or not
  CAPTURE(range);
  Arena arena(Sysctls{{"ip_local_port_range", range}});
  arena.run({"server-first", 61, 5009});
  arena.before = arena.after;  // twtrace counts from here on
  TwtraceRun& twtrace = restarted_twtrace();
  const json first = twtrace.wait_for([&](const json& snapshot) {
    const json entry = namespace_entry(snapshot, arena.netns);
    return entry.is_object() && entry.at("pre_existing") == 61;
  });
  check_namespace(first, arena);
  CHECK(number(namespace_entry(first, arena.netns), "pre_existing") == 61);
  CHECK(rows_of(first, arena.netns).empty());
  const auto before_start = [&](const json& snapshot) {
    std::vector<json> rows;
    for (const json& row : snapshot.at("rows")) {
      if (row.at("netns") == arena.netns.inode() && row.at("kind") == "before_start") rows.push_back(row);
    }
    return rows;
  };
  REQUIRE(before_start(first).size() == 1);
  const json row = before_start(first)[0];
  INFO(row.dump());
  CHECK(row.at("process").is_null());
  CHECK(row.at("live") == 61);
  CHECK(row.at("created") == 0);
  CHECK(row.at("role") == "server");
  CHECK(row.at("port") == 5009);
  CHECK(row.at("service").is_null());  // nobody listens there any more

  arena.run({"client-first", 23, 5011});
  const json snapshot = twtrace.fresh();
  check_namespace(snapshot, arena);
  check_owners(snapshot, arena);
  CHECK(number(namespace_entry(snapshot, arena.netns), "pre_existing") == 61);
  CHECK(number(namespace_entry(snapshot, arena.netns), "in_use") == 61 + 23);
  REQUIRE(before_start(snapshot).size() == 1);
  CHECK(before_start(snapshot)[0].at("live") == 61);
}

TEST_CASE("buckets from before the start have the service of who listens there now") {
  if (!privileged()) return;
  const CgroupSandbox cgroup("listens");
  Arena arena(Sysctls{});
  arena.run({"server-first", 13, 5009});
  arena.spec = {"closed-before-start", 7, 5009, "4", &cgroup};
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  TwtraceRun& twtrace = restarted_twtrace();
  json row;
  twtrace.wait_for([&](const json& snapshot) {
    for (const json& one : snapshot.at("rows")) {
      if (one.at("netns") == arena.netns.inode() && one.at("kind") == "before_start") row = one;
    }
    return row.is_object();
  });
  workload.go_on();
  workload.finish();
  REQUIRE(row.is_object());
  INFO(row.dump());
  CHECK(row.at("live") == 13);
  CHECK(row.at("role") == "server");
  REQUIRE(row.at("service").is_object());
  CHECK(row["service"]["cgroup"].get<std::string>().find("listens") != std::string::npos);
}
