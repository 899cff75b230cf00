// SPDX-License-Identifier: Apache-2.0
// Namespaces that die with buckets in them, again and again: their inode numbers come back, their numbers must not.
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

// Under emulation, which is slow, fewer will do.
const int kGenerations = exact_under_steering() ? 11 : 53;
constexpr int kBuckets = 7;
constexpr int kFirstPort = 6001;

// Where scans tell what is gone they take a share of the time only: on a starved machine the next one is minutes away.
constexpr milliseconds kDeadline{180000};

// What was left when the namespaces of all generations had been made and deleted.
struct Generations {
  std::set<std::uint64_t> inodes;
  std::map<int, json> owners;  ///< by port
};

// Each generation has a port of its own, so that its row can be told from those of a namespace with its inode number.
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

// The rows of the generations' namespaces, the only ones here with these ports.
std::vector<json> rows_of(const json& snapshot, const Generations& all) {
  std::vector<json> rows;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("port").is_number() && all.owners.contains(row.at("port"))) rows.push_back(row);
  }
  return rows;
}

// A namespace's counts are final once it is seen to be gone; a row may have no live bucket also before the scan that
// will find its first.
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

  // An entry is one namespace, whatever inode number it shares with others.
  std::int64_t created = 0;
  for (const json& entry : gone.at("namespaces")) {
    if (!all.inodes.contains(entry.at("netns"))) continue;
    INFO(entry.dump());
    CHECK(number(entry, "created") == kBuckets);
    created += number(entry, "created");
  }
  CHECK(created == kGenerations * kBuckets);

  // Other namespaces of this machine are traced too; none of theirs has any of these buckets.
  const pid_t pid = twtrace.process().pid();
  CHECK(wait_until([&] { return map_entries(pid, "sockets") < kBuckets; }, kDeadline));
  CHECK(wait_until([&] { return map_entries(pid, "buckets") < kBuckets; }, kDeadline));
  CHECK(wait_until([&] { return taken_slots(pid) < kBuckets; }, kDeadline));
}
