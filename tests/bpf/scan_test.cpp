// SPDX-License-Identifier: Apache-2.0
// Large hosts: twtrace scans the table in slices, and reads namespaces in turn, to keep a refresh short. The numbers
// must still equal the kernel's, exactly.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "bpf/expect.hpp"
#include "bpf/scanner.hpp"
#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/subprocess.hpp"
#include "trace/session.hpp"
#include "view/rows.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

/// The live buckets in the rows of a namespace. Empty while some are unknown.
std::optional<std::uint64_t> live_in(const model::Snapshot& snapshot, const NetnsSandbox& netns) {
  std::uint64_t sum = 0;
  for (const model::Row& row : snapshot.rows) {
    if (row.netns != netns.inode() || row.kind != model::RowKind::kNormal) continue;
    if (!row.live) return std::nullopt;
    sum += *row.live;
  }
  return sum;
}

/// One run of a reader program per sample, so that a scan is in progress most of the time.
trace::SessionOptions slice_by_slice() {
  trace::SessionOptions options;
  options.backend = loader::Backend::kTracepoint;
  options.sweep_slice = kSlice;
  options.reader_run_ns = 100'000;
  options.scan_budget_ns = 0;
  return options;
}

view::View all_pids() {
  view::View view;
  view.group = model::Group::kPid;
  view.max_rows = SIZE_MAX;
  return view;
}

model::Snapshot last_picture(const trace::Session& session, const view::View& view) {
  model::Snapshot picture = session.head();
  session.with_source([&](const model::Source& source) { picture = view::with_rows(picture, source, view); });
  return picture;
}

}  // namespace

TEST_CASE("a scan in short runs credits every bucket once") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  const bool cookies = GENERATE(true, false);
  Scanner scanner(arena.netns, cookies);
  scanner.scan();
  arena.run({"client-first", kBuckets, 5011});
  REQUIRE(arena.after.in_use == kBuckets);

  for (int scans = 0; scans < 2; ++scans) {
    CHECK(scanner.scan() > 1);
    CHECK(scanner.credited() == kBuckets);
  }
  std::vector<loader::SweptBucket> gone;
  const int sweeps = scanner.sweep(gone, loader::Pace::kSlice);
  if (!cookies) CHECK(sweeps > kBuckets / static_cast<int>(kSlice));
  CHECK(gone.empty());  // the two scans have found them all
}

TEST_CASE("a scan finds the buckets of every chain of a namespace's own table") {
  if (!privileged()) return;
  constexpr unsigned kChains = 32;                                // the first one is empty in one run of 700
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "1000"}}, kChains);  // else half of the chains
  Scanner scanner(arena.netns, GENERATE(true, false), GENERATE(0U, 500'000U));
  scanner.scan();
  arena.run({"client-first", kBuckets, 5015});
  REQUIRE(arena.after.in_use == kBuckets);
  scanner.scan();
  CHECK(scanner.credited() == kBuckets);
}

TEST_CASE("live counts are shown when a scan has been everywhere, and the last sample's are of now") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  auto session = trace::Session::start(slice_by_slice());
  REQUIRE(session);
  arena.run({"client-first", kBuckets, 5017});
  REQUIRE(arena.after.in_use == kBuckets);
  const view::View view = all_pids();

  int samples = 0;
  std::set<std::uint64_t> seen;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!seen.contains(kBuckets) && std::chrono::steady_clock::now() < deadline) {
    REQUIRE(session->sample(false));
    ++samples;
    if (const auto live = live_in(last_picture(*session, view), arena.netns)) seen.insert(*live);
  }
  CHECK(seen == std::set<std::uint64_t>{0, kBuckets});  // nothing in between
  CHECK(samples > 3);

  arena.run({"client-first", 23, 5019});
  REQUIRE(session->sample(true));
  CHECK(live_in(last_picture(*session, view), arena.netns) == kBuckets + 23U);
}

TEST_CASE("the row of a process that has ended keeps its buckets, also while a scan is under way") {
  if (!privileged()) return;
  constexpr std::uint64_t kEach = 7;
  constexpr int kScans = 3;
  Arena arena(Sysctls{{"tcp_tw_reuse", "0"}});  // else a connect may reuse a bucket
  auto session = trace::Session::start(slice_by_slice());
  REQUIRE(session);
  arena.run({"client-first", kBuckets, 5017});  // so many that a scan takes many samples
  std::map<std::uint32_t, std::uint64_t> made;  // by pid
  double age_s = 0;
  int scans = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);  // before the first bucket expires
  while (scans < kScans && std::chrono::steady_clock::now() < deadline) {
    const json report = Workload({"client-first", kEach, 5023}, arena.netns).finish();
    made[report.at("owners").at(0).at("pid")] += kEach;
    for (int sample = 0; sample < 3; ++sample) {  // the row is new, then unchanged, then perhaps reused
      REQUIRE(session->sample(false));
      const double before_s = std::exchange(age_s, session->head().live_age_s.value_or(0));
      if (age_s < before_s) ++scans;
    }
  }
  REQUIRE(session->sample(true));
  const model::Snapshot last = last_picture(*session, all_pids());
  std::map<std::uint32_t, std::uint64_t> live;
  for (const model::Row& row : last.rows) {
    if (row.netns == arena.netns.inode() && row.port == 5023) live[row.process->pid.value()] += row.live.value();
  }
  CHECK(scans > 0);  // else no process has ended during a scan
  CHECK(live.size() == made.size());
  for (const auto& [pid, buckets] : made) {
    INFO("pid " << pid);
    CHECK(live[pid] == buckets);
  }
}

TEST_CASE("a namespace that got the inode number of one that is gone is not taken for it") {
  if (!privileged()) return;
  std::vector<std::unique_ptr<Arena>> gone;
  std::set<std::uint64_t> inodes;
  for (int i = 0; i < 4; ++i) {
    Arena& arena = *gone.emplace_back(std::make_unique<Arena>(Sysctls{{"tcp_tw_reuse", "1"}}));
    arena.run({"reuse", 3, 5033});
    REQUIRE(arena.delta().reused == 3);
    inodes.insert(arena.netns.inode());
  }
  auto session = trace::Session::start({});
  REQUIRE(session);
  REQUIRE(session->sample(false));
  for (const auto& arena : gone) arena->netns.remove();
  // A new namespace gets a free inode number. Theirs are free after the kernel has cleaned up, which it does only while
  // it makes no other namespace.
  constexpr std::size_t kTries = 100;
  std::vector<std::unique_ptr<NetnsSandbox>> others;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    others.push_back(std::make_unique<NetnsSandbox>(Sysctls{}));
  } while (!inodes.contains(others.back()->inode()) && others.size() < kTries);
  const std::uint64_t inode = others.back()->inode();
  if (!inodes.contains(inode)) return mark_skipped("no inode number has come again");

  REQUIRE(session->sample(false));
  const auto namespaces = session->head().namespaces;
  int rows = 0;
  for (const model::NetnsRow& row : namespaces) {
    if (row.netns != inode) continue;
    ++rows;
    INFO("namespace " << row.id);
    CHECK(row.kernel.reused.value_or(0) == 0);  // since it exists, or since the start
    CHECK(row.in_use.has_value() != row.gone);
  }
  CHECK(rows == 1);  // nothing was counted in the one before, so nobody asks for it
}
