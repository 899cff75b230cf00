// SPDX-License-Identifier: Apache-2.0
// More namespaces and cgroups in one run than the kernel side has room for. Each keeps its own counts and its name, and
// nothing grows.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "bpf/expect.hpp"
#include "loader/backend.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/cgroup_sandbox.hpp"
#include "support/chosen_backend.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/subprocess.hpp"
#include "support/tcp_pairs.hpp"
#include "trace/session.hpp"
#include "view/row_list.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::uint16_t kPort = 5079;
constexpr std::uint32_t kSlots = 256;
constexpr std::uint32_t kCgroups = 256;
constexpr std::uint64_t kBuckets = 3;

trace::Session start(trace::SessionOptions options = {}) {
  options.backend = chosen_backend();
  options.namespaces = kSlots;
  options.cgroups = kCgroups;
  auto session = trace::Session::start(options);
  INFO((session ? std::string() : session.error().what));
  REQUIRE(session);
  return std::move(*session);
}

/// Takes samples until fewer than this many are in use.
void give_back(trace::Session& session, const std::function<std::size_t()>& in_use, std::size_t fewer_than) {
  for (int sample = 0; sample < 10'000 && in_use() >= fewer_than; ++sample) REQUIRE(session.sample(false));
  REQUIRE(in_use() < fewer_than);
}

std::size_t slots_in_use() { return taken_netns_slots(::getpid()); }
std::size_t cgroups_in_use() { return map_entries(::getpid(), "cgroups"); }

/// The calling process joins this cgroup.
void join(const CgroupSandbox& cgroup) {
  const int procs = ::open((cgroup.directory() + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (procs < 0 || ::write(procs, "0", 1) != 1) ::_exit(1);
}

void wait_for_end(pid_t pid) {
  int status = -1;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

/// A new process in this cgroup closes a connection and ends.
void close_one_in(const CgroupSandbox& cgroup, int listener) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    join(cgroup);
    TcpPair pair = make_pair(listener, kPort);
    close_first(pair.client, pair.server);
    ::_exit(0);
  }
  wait_for_end(pid);
}

/// New processes in this cgroup, on processors of their own, close a connection at the same moment.
void close_at_once_in(const CgroupSandbox& cgroup) {
  constexpr int kProcesses = 2;
  void* const shared =
      ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  auto& ready = *new (shared) std::atomic<int>(0);
  std::vector<pid_t> processes;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = processes.emplace_back(::fork());
    REQUIRE(pid >= 0);
    if (pid != 0) continue;
    ::alarm(60);  // if the other one fails
    cpu_set_t one{};
    CPU_SET(i, &one);
    static_cast<void>(::sched_setaffinity(0, sizeof(one), &one));  // a machine may have just one
    join(cgroup);
    const auto port = static_cast<std::uint16_t>(kPort + i);
    TcpPair pair = make_pair(listen_on(port).get(), port);
    for (++ready; ready < kProcesses;) {
    }
    close_first(pair.client, pair.server);
    ::_exit(0);
  }
  for (const pid_t pid : processes) wait_for_end(pid);
  ::munmap(shared, sizeof(std::atomic<int>));
}

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

/// The cgroups in the rows with the port of this test.
std::set<std::string> named_services(const trace::Session& session) {
  std::set<std::string> named;
  session.with_source([&named](const model::Source& source) {
    source.visit([&named](const model::Fact& fact) {
      if (fact.identity.port == kPort) named.insert(fact.identity.service.cgroup);
    });
  });
  return named;
}

/// The rows with the port of this test, in all namespaces.
std::uint64_t created_in_rows(const trace::Session& session) {
  std::uint64_t created = 0;
  session.with_source([&created](const model::Source& source) {
    source.visit([&created](const model::Fact& fact) {
      if (fact.identity.port == kPort) created += fact.counts.created();
    });
  });
  return created;
}

}  // namespace

TEST_CASE("what was refused in a namespace that is gone means nothing to the one that got its slot") {
  if (!privileged()) return;
  constexpr std::uint16_t kSource = 40000;
  trace::Session session = start();
  base::UniqueFd netns = new_netns();
  inside_netns(netns.get(), [] {
    write_net_sysctl("tcp_max_tw_buckets", "0");
    const base::UniqueFd listener = listen_on(kPort);
    TcpPair pair = make_pair(listener.get(), kPort, AF_INET, kSource);
    close_first(pair.server, pair.client);
  });
  REQUIRE(session.sample(false));
  const std::size_t in_use = slots_in_use();
  netns.reset();
  give_back(session, slots_in_use, in_use);
  netns = new_netns();
  inside_netns(netns.get(), [] {
    const base::UniqueFd listener = listen_on(kPort);
    TcpPair pair = make_pair(listener.get(), kPort, AF_INET, kSource);
    const int on = 1;  // a socket under repair ends without a segment
    REQUIRE(setsockopt(pair.server.get(), IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) == 0);
    pair.server.reset();
    REQUIRE(send(pair.client.get(), "x", 1, MSG_NOSIGNAL) == 1);
    wait_for_reset(pair.client.get());
  });
  REQUIRE(session.sample(false));
  const NetnsFacts facts = netns_facts(netns.get());
  REQUIRE(facts.counters.at("Tcp.OutRsts") == 1);
  const auto& rows = session.head().namespaces;
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& each) { return each.netns == facts.inum; });
  REQUIRE(row != rows.end());
  CHECK(row->counts.peer_resets == 0);
  CHECK(row->counts.resets_sent() + row->missed.resets_sent.value_or(0) == 1);
}

TEST_CASE("after more namespaces than there are slots, a full one is exact by its own name", "[capacity][slots]") {
  if (!privileged()) return;
  constexpr int kNamespaces = 450;
  constexpr int kAtOnce = 64;
  constexpr std::uint64_t kMiB = 1U << 20U;
  trace::Session session = start();
  const std::size_t others = slots_in_use();
  std::uint64_t rss_bytes = 0;
  for (int made = 0; made < kNamespaces; ++made) {
    if (made % kAtOnce == 0) give_back(session, slots_in_use, others + kAtOnce / 2);
    if (made == kNamespaces * 2 / 3) rss_bytes = session.head().cost.rss_bytes;
    leave_buckets_in(new_netns().get(), kPort, kBuckets);
  }
  give_back(session, slots_in_use, others + kAtOnce / 2);
  const base::UniqueFd full = new_netns();
  inside_netns(full.get(), [] { write_net_sysctl("tcp_max_tw_buckets", "5"); });
  leave_buckets_in(full.get(), kPort, 12);
  REQUIRE(session.sample(true));

  const model::Snapshot head = session.head();
  CHECK(head.lost.netns_full == 0);
  CHECK(head.lost.rows_full == 0);
  CHECK(head.cost.rss_bytes < rss_bytes + 2 * kMiB);
  const std::uint32_t inum = netns_facts(full.get()).inum;
  const auto row = std::find_if(head.namespaces.begin(), head.namespaces.end(),
                                [inum](const model::NetnsRow& netns) { return !netns.gone && netns.netns == inum; });
  REQUIRE(row != head.namespaces.end());
  CHECK(row->limit == 5U);
  CHECK(row->in_use == 5U);
  CHECK(row->counts.created() == 5);
  CHECK(row->counts.refused() == 7);
  if (row->kernel.created) CHECK(row->kernel.created == 5U);  // before 5.18 it counts at the end of buckets
  CHECK(row->kernel.overflow == 7U);
  if (row->reconciled) CHECK(*row->reconciled);  // nor can it be compared there without its end
  CHECK(created_in_rows(session) == kNamespaces * kBuckets + 5);

  // Some have an entry of their own, and are exact. The others are in a sum.
  model::Counters in_namespaces;
  int own = 0;
  for (const model::NetnsRow& netns : head.namespaces) {
    in_namespaces += netns.counts;
    if (!netns.gone || netns.id == 0 || netns.unattributed.created() != 0) continue;
    CHECK(netns.counts.created() == kBuckets);
    ++own;
  }
  CHECK(own <= 256 + kAtOnce);  // the last ones still have their slots
  CHECK(in_namespaces == head.totals);
}

TEST_CASE("after more cgroups than there is room for, every one is named", "[capacity][slots]") {
  if (!privileged()) return;
  constexpr int kMade = 400;
  constexpr int kAtOnce = 64;
  trace::Session session = start();
  const base::UniqueFd netns = new_netns();
  std::set<std::string> made;
  inside_netns(netns.get(), [&] {
    const base::UniqueFd listener = listen_on(kPort);
    for (int i = 0; i < kMade; ++i) {
      if (i % kAtOnce == 0) give_back(session, cgroups_in_use, kCgroups - kAtOnce);
      const CgroupSandbox cgroup("job" + std::to_string(i));
      close_one_in(cgroup, listener.get());
      made.insert(cgroup.path());
    }
  });
  REQUIRE(session.sample(true));
  CHECK(session.head().lost.cgroups_full == 0);
  CHECK(created_in_rows(session) == kMade);
  CHECK(named_services(session) == made);
}

TEST_CASE("one owner's many ports are one row, and say how many they are", "[capacity][slots]") {
  if (!privileged()) return;
  constexpr std::uint16_t kFirst = 3000;
  constexpr std::uint32_t kPorts = 301;
  trace::Session session = start();
  const base::UniqueFd netns = new_netns();
  const auto sweep = [&netns](std::uint16_t first, std::uint32_t count) {
    inside_netns(netns.get(), [&] {
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto port = static_cast<std::uint16_t>(first + i);
        const base::UniqueFd listener = listen_on(port);
        TcpPair pair = make_pair(listener.get(), port);
        close_first(pair.client, pair.server);
      }
    });
  };
  sweep(kFirst, 40);
  REQUIRE(session.sample(false));
  sweep(kFirst, kPorts);
  REQUIRE(session.sample(true));
  view::View view;
  view.group = model::Group::kPid;
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  std::vector<model::Row> rows;
  session.with_source([&](const model::Source& source) {
    const view::RowList list(source, view, 1);
    rows = list.rows(0, list.size());
  });
  std::erase_if(rows, [inum](const model::Row& row) { return row.netns != inum; });
  REQUIRE(rows.size() == 1);
  CHECK_FALSE(rows[0].port);
  CHECK(rows[0].ports == kPorts);
  CHECK(rows[0].counts.created() == kPorts + 40);
  CHECK(rows[0].process.value().pids == 1);
}

TEST_CASE("slots, cgroups and rows are given back between two samples, too", "[capacity][slots]") {
  if (!privileged()) return;
  constexpr int kMade = 360;
  constexpr int kAtOnce = 60;
  trace::SessionOptions options;
  options.tending_ns = 0;  // with every drain
  trace::Session session = start(options);
  REQUIRE(session.sample(false));
  const std::size_t other_slots = slots_in_use();
  const std::size_t other_cgroups = cgroups_in_use();
  const auto settled = [&] {
    REQUIRE(session.drain());
    return slots_in_use() < other_slots + kAtOnce / 2 && cgroups_in_use() < other_cgroups + kAtOnce / 2;
  };
  std::set<std::string> made;
  for (int i = 0; i < kMade; ++i) {
    if (i % kAtOnce == 0) REQUIRE(wait_until(settled));
    const base::UniqueFd netns = new_netns();
    const CgroupSandbox cgroup("job" + std::to_string(i));
    inside_netns(netns.get(), [&cgroup] { close_one_in(cgroup, listen_on(kPort).get()); });
    made.insert(cgroup.path());
  }
  REQUIRE(session.sample(true));
  const model::Losses lost = session.head().lost;
  CHECK(lost.rows_full + lost.netns_full + lost.cgroups_full == 0);
  CHECK(created_in_rows(session) == kMade);
  CHECK(named_services(session) == made);
}

TEST_CASE("a cgroup that two processors meet at the same moment is no lost one", "[capacity][slots]") {
  if (!privileged()) return;
  trace::Session session = start();
  const base::UniqueFd netns = new_netns();
  for (int i = 0; i < 50; ++i) {
    const CgroupSandbox cgroup("both" + std::to_string(i));
    inside_netns(netns.get(), [&cgroup] { close_at_once_in(cgroup); });
  }
  REQUIRE(session.sample(true));
  CHECK(session.head().lost.cgroups_full == 0);
}

TEST_CASE("namespaces, cgroups and processes that come and go together leave nothing behind", "[capacity][slots]") {
  if (!privileged()) return;
  constexpr int kMade = 360;
  constexpr int kAtOnce = 60;
  constexpr std::uint64_t kMiB = 1U << 20U;
  trace::Session session = start();
  const std::size_t other_slots = slots_in_use();
  const std::size_t other_cgroups = cgroups_in_use();
  std::set<std::string> made;
  std::uint64_t rss_bytes = 0;
  std::ptrdiff_t files = 0;
  const auto settle = [&] {
    give_back(session, slots_in_use, other_slots + kAtOnce / 2);
    give_back(session, cgroups_in_use, other_cgroups + kAtOnce / 2);
  };
  for (int i = 0; i < kMade; ++i) {
    if (i % kAtOnce == 0) settle();
    if (i == kMade / 2) {
      rss_bytes = session.head().cost.rss_bytes;
      files = open_files();
    }
    const base::UniqueFd netns = new_netns();
    const CgroupSandbox cgroup("job" + std::to_string(i));
    inside_netns(netns.get(), [&cgroup] { close_one_in(cgroup, listen_on(kPort).get()); });
    made.insert(cgroup.path());
  }
  settle();
  CHECK(open_files() == files);
  CHECK(session.head().cost.rss_bytes < rss_bytes + 2 * kMiB);
  const model::Losses lost = session.head().lost;
  CHECK(lost.rows_full + lost.netns_full + lost.cgroups_full + lost.sockets_full + lost.buckets_full == 0);
  CHECK(created_in_rows(session) == kMade);
  CHECK(named_services(session) == made);
}
