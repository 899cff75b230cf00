// SPDX-License-Identifier: Apache-2.0
// Namespaces that die with buckets in them, again and again. Their inode numbers are reused, but their counts must not
// mix.
#include <algorithm>
#include <map>
#include <set>

#include "bpf/expect.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

// Emulation is slow, so it gets fewer.
const int kGenerations = exact_under_steering() ? 11 : 53;
constexpr int kBuckets = 7;
constexpr int kFirstPort = 6001;

// If only scans show what is gone, it takes long: scans may use only a share of the time, so on a starved machine the
// next one is minutes away.
constexpr milliseconds kDeadline{180000};

// The results of all generations, whose namespaces are deleted.
struct Generations {
  std::set<std::uint64_t> inodes;
  std::map<int, json> owners;  ///< by port
};

// Each generation has its own port. So its row differs from that of another namespace with the same inode number.
Generations live_and_die() {
  Generations all;
  for (int port = kFirstPort; port < kFirstPort + kGenerations; ++port) {
    NetnsSandbox netns(Sysctls{});
    const json report = Workload({"half-close", kBuckets, port}, netns).finish();
    REQUIRE(netns.settled_counters().in_use == kBuckets);
    all.inodes.insert(netns.inode());
    all.owners[port] = report.at("owners").at(0);
    netns.remove();
  }
  return all;
}

// The rows of all generations. No other row in this test has these ports.
std::vector<json> rows_of(const json& snapshot, const Generations& all) {
  std::vector<json> rows;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("port").is_number() && all.owners.contains(row.at("port"))) rows.push_back(row);
  }
  return rows;
}

// The counts of a namespace are final when it is marked as gone. Zero live buckets alone prove nothing: the row may be
// waiting for its first scan.
bool all_gone(const json& snapshot, const Generations& all) {
  const std::vector<json> rows = rows_of(snapshot, all);
  const json& namespaces = snapshot.at("namespaces");
  return rows.size() == static_cast<std::size_t>(kGenerations) &&
         std::all_of(rows.begin(), rows.end(), [](const json& row) { return row.at("live") == 0; }) &&
         std::all_of(namespaces.begin(), namespaces.end(), [&](const json& netns) {
           return netns.at("gone") == true || !all.inodes.contains(netns.at("netns"));
         });
}

void check_generation(const json& row, const Generations& all, bool sees_removal) {
  INFO(row.dump());
  const json& owner = all.owners.at(row.at("port"));
  CHECK(all.inodes.contains(row.at("netns")));
  CHECK(row.at("process").at("comm") == owner.at("comm"));
  CHECK((row.at("process").at("pid").is_null() || row.at("process").at("pid") == owner.at("pid")));
  CHECK(row.at("role") == "client");
  CHECK(number(row, "created") == kBuckets);
  CHECK(number(row, "live") == 0);
  for (const std::string field : {"expired", "reused", "recycled"}) {
    CHECK(row.at(field) == (sees_removal ? json(0) : json(nullptr)));
  }
  CHECK(row.at("purged") == (sees_removal ? json(kBuckets) : json(nullptr)));
}

}  // namespace

TEST_CASE("namespaces that die with live buckets, again and again: purged, never mixed up, nothing left") {
  if (!privileged()) return;
  TwtraceRun twtrace;
  const Generations all = live_and_die();
  const json gone = twtrace.wait_for([&](const json& now) { return all_gone(now, all); }, kDeadline);
  const bool sees_removal = gone.at("probe").at("sees_removal");
  const std::vector<json> rows = rows_of(gone, all);
  REQUIRE(rows.size() == static_cast<std::size_t>(kGenerations));
  for (const json& row : rows) check_generation(row, all, sees_removal);
  check_nothing_lost(gone);

  // Each entry is one namespace, even if it shares its inode number with others.
  std::int64_t created = 0;
  for (const json& entry : gone.at("namespaces")) {
    if (!all.inodes.contains(entry.at("netns"))) continue;
    INFO(entry.dump());
    CHECK(number(entry, "created") == kBuckets);
    created += number(entry, "created");
  }
  CHECK(created == kGenerations * kBuckets);

  // twtrace also traces other namespaces of this machine. None of them has any of these buckets.
  const pid_t pid = twtrace.process().pid();
  CHECK(wait_until([&] { return map_entries(pid, "sockets") < kBuckets; }, kDeadline));
  CHECK(wait_until([&] { return map_entries(pid, "buckets") < kBuckets; }, kDeadline));
  CHECK(wait_until([&] { return taken_slots(pid) < kBuckets; }, kDeadline));
}
