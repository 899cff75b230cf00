// SPDX-License-Identifier: Apache-2.0
// What keeps a refresh short on large hosts: the table is scanned in slices, and namespaces are read in turn. The
// numbers stay the kernel's, to the unit.
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
#include "kernel/netns_scope.hpp"
#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/subprocess.hpp"
#include "trace/session.hpp"
#include "view/view.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

/// Somebody who listens on that port in that namespace.
base::UniqueFd listen_in(const kernel::NetnsRef& ref, std::uint16_t port) {
  const auto scope = kernel::NetnsScope::enter(ref);
  REQUIRE(scope);
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(fd.get(), 1) == 0);
  return fd;
}

/// The live buckets of a namespace's rows; empty while some are not known.
std::optional<std::uint64_t> live_in(const model::Snapshot& snapshot, const NetnsSandbox& netns) {
  std::uint64_t sum = 0;
  for (const model::Row& row : snapshot.rows) {
    if (row.netns != netns.inode() || row.kind != model::RowKind::kNormal) continue;
    if (!row.live) return std::nullopt;
    sum += *row.live;
  }
  return sum;
}

ino_t inode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// One slice a sample, so that a scan is under way most of the time.
trace::SessionOptions slice_by_slice() {
  trace::SessionOptions options;
  options.backend = loader::Backend::kTracepoint;
  options.scan_slice = kSlice;
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

TEST_CASE("a scan in slices credits every bucket once") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  const bool cookies = GENERATE(true, false);
  Scanner scanner(arena.netns, cookies);
  CHECK(scanner.scan(loader::Pace::kWhole, true) == 1);
  arena.run({"client-first", kBuckets, 5011});
  REQUIRE(arena.after.in_use == kBuckets);

  CHECK(scanner.scan(loader::Pace::kSlice) > kBuckets / static_cast<int>(kSlice));
  CHECK(scanner.found() == kBuckets);
  CHECK(scanner.credited() == kBuckets);
  CHECK(scanner.scan(loader::Pace::kWhole) == 1);
  CHECK(scanner.found() == kBuckets);
  std::vector<tw_swept_bucket> gone;
  const int sweeps = scanner.sweep(gone, loader::Pace::kSlice);
  if (!cookies) CHECK(sweeps > kBuckets / static_cast<int>(kSlice));
  CHECK(gone.empty());  // the two scans have found them all
}

TEST_CASE("a scan finds the buckets of every hash chain, also where nobody listens") {
  if (!privileged()) return;
  constexpr unsigned kChains = 32;                                // the first one is empty in one run of 700
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "1000"}}, kChains);  // else half of the chains
  Scanner scanner(arena.netns, GENERATE(true, false));
  scanner.scan(loader::Pace::kWhole, true);
  arena.run({"client-first", kBuckets, 5015});
  REQUIRE(arena.after.in_use == kBuckets);
  scanner.scan(GENERATE(loader::Pace::kWhole, loader::Pace::kSlice));
  CHECK(scanner.found() == kBuckets);
  CHECK(scanner.credited() == kBuckets);
}

TEST_CASE("a scan finds a lone bucket, whichever its hash chain is and whichever the listener's") {
  if (!privileged()) return;
  constexpr unsigned kChains = 256;
  constexpr std::uint16_t kListenerChains = 512;  // where there is 1 GiB of memory; the port is in the hash as it is
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "1000"}}, kChains);
  Scanner scanner(arena.netns);
  scanner.scan(loader::Pace::kWhole, true);
  arena.run({"client-first", 1, 5015});
  REQUIRE(arena.after.in_use == 1);
  std::set<std::uint16_t> overlooked;
  for (std::uint16_t port = 20000; port < 20000 + kListenerChains; ++port) {
    const base::UniqueFd listener = listen_in(scanner.ref, port);
    scanner.scan(loader::Pace::kWhole);
    if (scanner.found() != 1) overlooked.insert(port);
  }
  CHECK(overlooked == std::set<std::uint16_t>());
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
  CHECK(samples > kBuckets / static_cast<int>(kSlice));

  arena.run({"client-first", 23, 5019});
  REQUIRE(session->sample(true));
  CHECK(live_in(last_picture(*session, view), arena.netns) == kBuckets + 23U);
}

TEST_CASE("the row of a process that has ended keeps its buckets, also while a scan is under way") {
  if (!privileged()) return;
  constexpr std::uint64_t kEach = 7;
  constexpr int kScans = 3;
  Arena arena(Sysctls{{"tcp_tw_reuse", "0"}});  // or a connect may take a bucket over
  auto session = trace::Session::start(slice_by_slice());
  REQUIRE(session);
  arena.run({"client-first", kBuckets, 5017});  // for a scan to take many samples
  std::map<std::uint32_t, std::uint64_t> made;  // by pid
  double age_s = 0;
  int scans = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);  // before the first bucket expires
  while (scans < kScans && std::chrono::steady_clock::now() < deadline) {
    const json report = Workload({"client-first", kEach, 5023}, arena.netns).finish();
    made[report.at("owners").at(0).at("pid")] += kEach;
    for (int sample = 0; sample < 3; ++sample) {  // it is new, it is unchanged, and somebody else may have its row
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
  CHECK(scans > 0);  // or no process has ended during one
  CHECK(live.size() == made.size());
  for (const auto& [pid, buckets] : made) {
    INFO("pid " << pid);
    CHECK(live[pid] == buckets);
  }
}

TEST_CASE("a namespace is visited although the process that led into it has ended") {
  if (!privileged()) return;
  NetnsSandbox netns{Sysctls{}};
  const auto inode = static_cast<std::uint32_t>(netns.inode());
  trace::NamespaceDirectory directory;
  directory.discover(false);
  REQUIRE(directory.catalog().find(inode) != nullptr);
  const auto id = directory.add(*directory.catalog().find(inode));
  std::optional<Subprocess> other(std::in_place, std::vector<std::string>{"sleep", "60"}, netns.fd());
  REQUIRE(wait_until([&] { return inode_of("/proc/" + std::to_string(other->pid()) + "/ns/net") == inode; }));
  netns.remove();
  std::optional<ino_t> inside;
  const auto look = [&] { inside = inode_of("/proc/thread-self/ns/net"); };
  CHECK(directory.visit(id, look));
  CHECK(inside == inode);
  CHECK_FALSE(directory.entries().at(id).gone);

  other.reset();
  CHECK_FALSE(directory.visit(id, look));
  CHECK(directory.entries().at(id).gone);
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
  // One that is made gets some number that is free, and theirs are once the kernel has cleaned up. It comes to that
  // only while it makes no others.
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
  CHECK(rows == 2);
}

TEST_CASE("with more namespaces than are read at a time, no number is false and the last ones are of now") {
  if (!privileged()) return;
  trace::SessionOptions options;
  options.no_features = {"readers"};  // which read all at once
  options.netns_readings = 2;
  auto session = trace::Session::start(options);
  REQUIRE(session);
  std::vector<std::unique_ptr<Arena>> arenas;
  for (int i = 0; i < 7; ++i) arenas.push_back(std::make_unique<Arena>(Sysctls{}));
  std::map<std::uint32_t, std::uint64_t> made;
  std::string stuck;
  const auto check = [&](bool last) {
    REQUIRE(session->sample(last));
    std::size_t compared = 0;
    stuck.clear();
    for (const model::NetnsRow& row : session->head().namespaces) {
      if (!made.contains(row.netns)) continue;
      INFO("namespace " << row.netns);
      CHECK(row.counts.created() == made[row.netns]);
      if (row.kernel.created) CHECK(row.kernel.created == made[row.netns]);
      if (row.missed.created) CHECK(row.missed.created == 0U);
      if (row.reconciled) CHECK(*row.reconciled);
      if (row.in_use) CHECK(row.in_use <= made[row.netns]);
      const bool exact = row.reconciled && row.in_use == made[row.netns];
      if (exact) ++compared;
      if (!exact)
        stuck = fmt::format("namespace {} {}: reconciled {}, kernel {}, in use {}, limit {}, gone {}", row.id,
                            row.netns, row.reconciled.value_or(false), row.kernel.created.value_or(9999),
                            row.in_use.value_or(9999), row.limit.value_or(9999), row.gone);
    }
    return compared;
  };
  for (int round = 0; round < 3; ++round) {
    for (const auto& arena : arenas) {
      arena->run({"client-first", 7, 5021 + round});
      made[static_cast<std::uint32_t>(arena->netns.inode())] += 7;
    }
    const std::size_t at_once = check(false);
    CHECK(at_once < arenas.size());
    int samples = 1;
    while (check(false) < arenas.size() && samples < 50) ++samples;
    INFO(stuck);
    CHECK(samples < 50);
  }
  arenas[3]->run({"client-first", 7, 5031});
  made[static_cast<std::uint32_t>(arenas[3]->netns.inode())] += 7;
  CHECK(check(true) == arenas.size());
}
