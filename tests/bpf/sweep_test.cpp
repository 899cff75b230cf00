// SPDX-License-Identifier: Apache-2.0
// What is remembered of a connection is forgotten when scans no longer find it, and not before.
#include <cstdint>
#include <set>
#include <vector>

#include "bpf/expect.hpp"
#include "bpf/scanner.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace twtrace;
using namespace twtrace::test;

TEST_CASE("buckets are forgotten after two whole scans, and an unfinished one is none") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  Scanner scanner(arena.netns, GENERATE(true, false));
  scanner.scan(loader::Pace::kWhole, true);
  arena.run({"syn-recycle", kBuckets, 5013});  // all of them are gone again
  REQUIRE(arena.after.in_use == 0);
  std::vector<tw_swept_bucket> gone;
  scanner.tracer->begin_scan(false);
  scanner.tracer->begin_scan(false, true);  // starts over: still the first
  scanner.sweep(gone, loader::Pace::kSlice);
  CHECK(gone.empty());
  scanner.scan(loader::Pace::kSlice);
  // An entry of a map that one sweep has passed over is found by the next: see TableWalk::sweep_map().
  for (int sweeps = 0; sweeps < 2; ++sweeps) scanner.sweep(gone, loader::Pace::kSlice);
  std::set<std::uint64_t> keys;
  for (const tw_swept_bucket& swept : gone) keys.insert(swept.key);
  CHECK(gone.size() == kBuckets);
  CHECK(keys.size() == kBuckets);
}

TEST_CASE("sockets keep their owner in a namespace that nothing leads to, and are let go where a scan misses them") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  Scanner scanner(arena.netns, GENERATE(true, false));
  scanner.scan(loader::Pace::kWhole, true);
  arena.spec = {"orphaned-before-start", 7, 5035};
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  REQUIRE(scanner.waiting() == 7);
  for (int scans = 0; scans < 3; ++scans) scanner.tracer->begin_scan(false);  // none of them looks
  std::vector<tw_swept_bucket> gone;
  for (const loader::Sight kept : {loader::Sight::kUnknown, loader::Sight::kGone}) {
    scanner.sweep(gone, loader::Pace::kWhole, kept);
    CHECK(scanner.waiting() == 7);
  }
  scanner.sweep(gone, loader::Pace::kWhole);
  CHECK(scanner.waiting() == 0);
  CHECK(gone.empty());
}
