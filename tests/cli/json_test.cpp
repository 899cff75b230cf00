// SPDX-License-Identifier: Apache-2.0
// The JSON contract of the real binary: every field has its name and type. Fields may be added, but never renamed. Add
// a new one to these lists.
#include <algorithm>
#include <csignal>
#include <functional>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/workload.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

using Names = std::vector<std::string>;

void check_keys(const json& object, Names names) {
  std::sort(names.begin(), names.end());
  INFO(object.dump());
  CHECK(keys(object) == names);
}

void check_numbers(const json& object, const Names& names, bool may_be_null = false) {
  for (const std::string& name : names) {
    INFO(name << " of " << object.dump());
    CHECK((object.at(name).is_number() || (may_be_null && object.at(name).is_null())));
  }
}

const Names kCounted = {"created",  "time_wait", "fin_wait2", "overflow", "overflow_time_wait", "overflow_fin_wait2",
                        "no_memory"};
const Names kHurt = {"no_port",     "resets_received", "resets_felt",    "peer_resets",        "peer_resets_avoidable",
                     "resets_sent", "resets_late",     "resets_aborted", "resets_closed_port", "resets_other",
                     "queue_drops", "no_port_bind"};
const Names kRemoved = {"reused", "recycled", "expired", "purged"};

Names joined(Names first, const Names& second, const Names& third = {}, const Names& fourth = {}) {
  for (const Names* more : {&second, &third, &fourth}) first.insert(first.end(), more->begin(), more->end());
  return first;
}

void check_row(const json& row, const json& group) {
  Names names = joined({"netns", "netns_id", "process", "service", "role", "port", "ports", "attribution", "live",
                        "created_per_s", "overflow_per_s", "kind", "netns_name"},
                       kCounted, kRemoved, kHurt);
  if (group == "peer") names.push_back("peer");
  if (group == "netns") names.push_back("namespaces");
  check_keys(row, names);
  check_numbers(row, joined(kCounted, {"created_per_s", "overflow_per_s"}));
  check_numbers(row, {"netns", "netns_id"}, row.at("kind") == "gone");
  check_numbers(row, joined(kRemoved, {"live"}, kHurt), true);
  // Buckets from before the start have no owner.
  if (row.at("kind") == "before_start") {
    CHECK(row.at("process").is_null());
  } else {
    check_keys(row.at("process"), {"pid", "comm", "uid", "pids", "exited"});
  }
}

void check_netns(const json& netns) {
  check_keys(netns,
             joined({"netns", "netns_id", "name", "limit", "in_use", "pre_existing", "kernel", "missed", "reconciled",
                     "gone", "unattributed", "unattributed_overflow", "created_per_s", "overflow_per_s", "forecast"},
                    kCounted, kRemoved, kHurt));
  check_numbers(netns, joined(kCounted, {"netns", "netns_id"}));
  check_numbers(netns, joined(kRemoved, {"limit", "in_use", "pre_existing"}, kHurt), true);
  check_keys(netns.at("kernel"), {"created", "overflow", "reused", "out_resets", "listen_overflows", "listen_drops"});
  check_keys(netns.at("missed"), {"created", "overflow", "resets_sent", "queue_drops"});
  CHECK((netns.at("reconciled").is_boolean() || netns.at("reconciled").is_null()));
}

void check_snapshot(const json& snapshot) {
  check_keys(snapshot, {"schema", "time",   "time_unix_ms", "interval_s",        "uptime_s",  "group",     "host",
                        "probe",  "totals", "namespaces",   "namespaces_folded", "rows",      "troubles",  "warnings",
                        "queues", "lost",   "cost",         "rows_hidden",       "log_lines", "live_age_s"});
  CHECK(snapshot.at("schema") == "twtrace.snapshot/1");
  check_numbers(snapshot, {"time_unix_ms", "interval_s", "uptime_s", "rows_hidden"});
  check_keys(snapshot.at("host"), {"name", "kernel"});
  check_keys(snapshot.at("probe"), {"backend", "fallbacks", "sees_removal"});
  check_keys(snapshot.at("totals"),
             joined({"unattributed", "unattributed_overflow", "unattributed_no_memory"}, kCounted, kRemoved, kHurt));
  check_keys(snapshot.at("lost"),
             {"events", "counts", "rows_full", "rows_busy", "netns_full", "sockets_full", "buckets_full",
              "cgroups_full", "listeners_full", "pairs_lost", "refused_full", "recursion_misses"});
  check_keys(snapshot.at("cost"), {"bpf_run_ns_per_event", "cpu_percent", "rss_bytes"});
  CHECK(snapshot.at("cost").at("rss_bytes") > 1'000'000);
  // If the backend cannot see something, the field is null, never 0.
  const bool sees_removal = snapshot.at("probe").at("sees_removal");
  for (const std::string& name : kRemoved) CHECK(snapshot.at("totals").at(name).is_null() == !sees_removal);
  for (const json& netns : snapshot.at("namespaces")) check_netns(netns);
  for (const json& row : snapshot.at("rows")) check_row(row, snapshot.at("group"));
}

/// Runs twtrace during `work`, ends it with a signal, and returns its only snapshot.
json snapshot_of(const Arguments& extra, const std::function<void()>& work) {
  Arguments argv = {twtrace_binary(), "-b", "--json", "-d", "3600"};
  argv.insert(argv.end(), extra.begin(), extra.end());
  Subprocess process(argv);
  REQUIRE(process.wait_for_error("ready\n"));
  work();
  process.signal(SIGINT);
  REQUIRE(process.wait() == 0);
  return json::parse(process.standard_output());
}

}  // namespace

TEST_CASE("every field of a snapshot has its name, and rows have theirs in every group") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "4"}});
  const std::string group = GENERATE("process", "pid", "service", "port", "peer", "netns");
  const json snapshot = snapshot_of({"-g", group}, [&] { arena.run({"client-first", 23, 5017}); });
  CHECK(snapshot.at("group") == group);
  check_snapshot(snapshot);
  std::uint64_t created = 0;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") == arena.netns.inode()) created += row.at("created").get<std::uint64_t>();
  }
  CHECK(created == 23);
}

TEST_CASE("peers have rates of their own") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "4"}});
  const json snapshot = snapshot_of({"-g", "peer"}, [&] { arena.run({"client-first", 23, 5017}); });
  const double expected = 23 / snapshot.at("interval_s").get<double>();
  int found = 0;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") != arena.netns.inode() || row.at("peer").is_null()) continue;
    INFO(row.dump());
    CHECK(row.at("created_per_s").get<double>() == Approx(expected).epsilon(0.01));
    ++found;
  }
  CHECK(found == 1);
}

TEST_CASE("batch prints -n lines, one object each, at the asked pace") {
  if (!privileged()) return;
  const Outcome outcome = run_twtrace({"-b", "--json", "-d", "0.3", "-n", "3"});
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  CHECK(outcome.err == "ready\n");
  const auto all = lines(outcome.out);
  REQUIRE(all.size() == 3);
  double uptime = 0;
  std::int64_t time = 0;
  for (const std::string& line : all) {
    const json snapshot = json::parse(line);
    check_snapshot(snapshot);
    const double interval = snapshot.at("interval_s");
    CHECK(interval >= 0.05);
    CHECK(interval < 3);  // a busy machine may be late
    CHECK(snapshot.at("uptime_s").get<double>() == Approx(uptime + interval).margin(0.005));
    uptime = snapshot.at("uptime_s");
    CHECK(snapshot.at("time_unix_ms") > time);
    time = snapshot.at("time_unix_ms");
  }
  CHECK(uptime >= 0.85);
}

TEST_CASE("interval and count can be given as words") {
  if (!privileged()) return;
  for (const Arguments& arguments : {Arguments{"-b", "--json", "0.2", "2"}, Arguments{"0.2", "2", "-b", "--json"},
                                     Arguments{"top", "-b", "-o", "json", "0.2", "2"}}) {
    const Outcome outcome = run_twtrace(arguments);
    INFO(describe(outcome));
    CHECK(outcome.code == 0);
    CHECK(lines(outcome.out).size() == 2);
  }
}

TEST_CASE("option -r cuts rows and says how many") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "4"}});
  const json snapshot = snapshot_of({"-r", "1", "--netns", std::to_string(arena.netns.inode())}, [&] {
    arena.run({"client-first", 5, 5017});
    arena.run({"server-first", 7, 5018});
  });
  INFO(snapshot.dump());
  CHECK(snapshot.at("rows").size() == 1);
  CHECK(snapshot.at("rows_hidden") == 1);
}
