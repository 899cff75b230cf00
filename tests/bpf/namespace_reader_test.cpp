// SPDX-License-Identifier: Apache-2.0
// Compares the reader of namespaces with the kernel's files in each namespace.
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/readers.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/hotplug_cpu.hpp"
#include "support/inside_netns.hpp"
#include "support/netns_sandbox.hpp"
#include "support/tcp_pairs.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

using Readings = std::map<std::uint32_t, tw_namespace_reading>;

/// The readings by inode number. Fails if a namespace was read twice.
Readings by_inum(std::span<const tw_namespace_reading> readings) {
  Readings result;
  for (const tw_namespace_reading& reading : readings) {
    INFO(reading.inum);
    CHECK((reading.exiting != 0 || result.insert({reading.inum, reading}).second));
  }
  return result;
}

Readings read_all(loader::Readers& readers, bool counters = true) {
  const auto readings = readers.namespaces().read(counters);
  INFO((readings ? std::string() : readings.error().what));
  REQUIRE(readings);
  return by_inum(*readings);
}

std::uint64_t counter(const NetnsFacts& facts, const std::string& name) {
  const auto found = facts.counters.find(name);
  return found == facts.counters.end() ? 0 : found->second;
}

void check_counters(const tw_kernel_counters& read, const NetnsFacts& facts) {
  CHECK(read.tw == counter(facts, "TcpExt.TW"));
  CHECK(read.tw_killed == counter(facts, "TcpExt.TWKilled"));
  CHECK(read.tw_recycled == counter(facts, "TcpExt.TWRecycled"));
  CHECK(read.time_wait_overflow == counter(facts, "TcpExt.TCPTimeWaitOverflow"));
  CHECK(read.listen_overflows == counter(facts, "TcpExt.ListenOverflows"));
  CHECK(read.listen_drops == counter(facts, "TcpExt.ListenDrops"));
  CHECK(read.attempt_fails == counter(facts, "Tcp.AttemptFails"));
  CHECK(read.estab_resets == counter(facts, "Tcp.EstabResets"));
  CHECK(read.out_rsts == counter(facts, "Tcp.OutRsts"));
}

void check_reading(const Readings& readings, const NetnsFacts& facts) {
  INFO("namespace " << facts.inum);
  REQUIRE(readings.count(facts.inum) == 1);
  const tw_namespace_reading& read = readings.at(facts.inum);
  if (facts.cookie && read.cookie != 0) CHECK(read.cookie == *facts.cookie);
  CHECK(read.id != 0);
  CHECK(read.limit == facts.limit);
  CHECK(read.count == facts.in_use);
  CHECK(read.first_port == facts.first_port);
  CHECK(read.last_port == facts.last_port);
  CHECK(read.exiting == 0);
  check_counters(read.counters, facts);
}

/// Makes `count` connections that leave a bucket if the limit allows, and as many connects to a port without a
/// listener.
void make_traffic(unsigned count) {
  const base::UniqueFd listener = listen_on(5000);
  for (unsigned i = 0; i < count; ++i) {
    TcpPair pair = make_pair(listener.get(), 5000);
    close_first(pair.client, pair.server);
    CHECK_THROWS(connect_to(5001));
  }
}

/// A namespace and what holds it.
struct Held {
  base::UniqueFd fd;
  base::UniqueFd socket;
  std::promise<void> end;
  std::thread thread;
  NetnsFacts facts;

  ~Held() {
    if (!thread.joinable()) return;
    end.set_value();
    thread.join();
  }
};

enum class Holder { kDescriptor, kSocket, kThread };

/// All namespaces differ, so that mixing them up shows.
std::unique_ptr<Held> hold(Holder holder, unsigned number) {
  auto held = std::make_unique<Held>();
  held->fd = new_netns();
  inside_netns(held->fd.get(), [&] {
    write_net_sysctl("tcp_max_tw_buckets", std::to_string(number % 7 + number));
    write_net_sysctl("ip_local_port_range", std::to_string(30000 + 2 * number) + " 65000");
    make_traffic(number % 11);
    if (holder == Holder::kSocket) held->socket.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  });
  held->facts = netns_facts(held->fd.get());
  if (holder == Holder::kThread) {
    std::promise<void> inside;
    held->thread = std::thread([&inside, fd = held->fd.get(), end = held->end.get_future()]() mutable {
      if (setns(fd, CLONE_NEWNET) == 0) inside.set_value();
      end.wait();
    });
    inside.get_future().wait();
  }
  if (holder != Holder::kDescriptor) held->fd.reset();
  return held;
}

}  // namespace

TEST_CASE("every namespace is read once, whoever holds it, with the kernel's own numbers", "[quick]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(GENERATE(0U, 500'000U));
  std::vector<std::unique_ptr<Held>> held;
  for (unsigned number = 0; number < 50; ++number) {
    held.push_back(hold(std::array{Holder::kDescriptor, Holder::kSocket, Holder::kThread}.at(number % 3), number));
  }
  const NetnsSandbox sandbox(Sysctls{{"tcp_max_tw_buckets", "4711"}});
  const Readings readings = read_all(readers);
  for (const auto& each : held) check_reading(readings, each->facts);
  check_reading(readings, netns_facts(sandbox.fd()));
  CHECK(readings.at(static_cast<std::uint32_t>(sandbox.inode())).limit == 4711);
  CHECK(readings.count(netns_facts(own_netns().get()).inum) == 1);
  std::set<std::uint64_t> ids;
  for (const auto& [inum, reading] : readings) ids.insert(reading.id);
  CHECK(ids.size() == readings.size());
  std::vector<std::uint32_t> initial;
  for (const auto& [inum, reading] : readings) {
    if (reading.initial != 0) initial.push_back(inum);
  }
  CHECK(initial == std::vector{netns_facts(own_netns().get()).inum});  // these tests run on a host, in no container
}

TEST_CASE("a known workload moves the counters by what it did") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const base::UniqueFd netns = new_netns();
  inside_netns(netns.get(), [] { write_net_sysctl("tcp_max_tw_buckets", "7"); });
  const auto inum = netns_facts(netns.get()).inum;
  const tw_kernel_counters before = read_all(readers).at(inum).counters;
  inside_netns(netns.get(), [] { make_traffic(13); });
  const tw_namespace_reading after = read_all(readers).at(inum);
  CHECK(after.count == 7);
  CHECK(after.counters.time_wait_overflow - before.time_wait_overflow == 6);
  CHECK(after.counters.attempt_fails - before.attempt_fails == 13);
  CHECK(after.counters.out_rsts - before.out_rsts == 13);
  if (kernel_features().counts_at_creation) CHECK(after.counters.tw - before.tw == 7);
}

TEST_CASE("what each CPU has counted is summed up") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const base::UniqueFd netns = new_netns();
  cpu_set_t possible;
  REQUIRE(sched_getaffinity(0, sizeof(possible), &possible) == 0);
  inside_netns(netns.get(), [&possible] {
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &possible)) continue;
      cpu_set_t only;
      CPU_ZERO(&only);
      CPU_SET(cpu, &only);
      if (sched_setaffinity(0, sizeof(only), &only) == 0) make_traffic(1 + static_cast<unsigned>(cpu) % 3);
    }
  });
  check_reading(read_all(readers), netns_facts(netns.get()));
}

TEST_CASE("what a CPU has counted stays in the sum when it is switched off") {
  if (!privileged() || !hotplug_possible()) return;
  const base::UniqueFd netns = new_netns();
  HotplugCpu cpu;
  inside_netns(netns.get(), [] {
    cpu_set_t second;
    CPU_ZERO(&second);
    CPU_SET(1, &second);
    REQUIRE(sched_setaffinity(0, sizeof(second), &second) == 0);
    make_traffic(5);
  });
  loader::Readers before = open_readers();
  REQUIRE(cpu.set(false));
  loader::Readers after = open_readers();
  const NetnsFacts facts = netns_facts(netns.get());
  CHECK(counter(facts, "Tcp.OutRsts") == 5);
  check_reading(read_all(before), facts);
  check_reading(read_all(after), facts);
}

TEST_CASE("without the counters the rest is read") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const base::UniqueFd netns = new_netns();
  inside_netns(netns.get(), [] { make_traffic(3); });
  const NetnsFacts facts = netns_facts(netns.get());
  const tw_namespace_reading reading = read_all(readers, false).at(facts.inum);
  CHECK(reading.count == 3);
  CHECK(reading.counters.out_rsts == 0);
  CHECK(read_all(readers, true).at(facts.inum).counters.out_rsts == 3);
}

TEST_CASE("a namespace that goes away between two runs takes no other with it") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(0);  // the shortest runs: a pass takes many of them
  loader::Readers others = open_readers();
  std::map<std::uint32_t, base::UniqueFd> held;
  for (int i = 0; i < 80; ++i) {
    base::UniqueFd fd = new_netns();
    const auto inum = netns_facts(fd.get()).inum;
    held.emplace(inum, std::move(fd));
  }
  auto& reader = readers.namespaces();
  reader.begin(false);
  int met = 0;
  int gone = 0;
  while (true) {
    const auto done = reader.advance(0);
    REQUIRE(done);
    if (*done) break;
    const tw_namespace_reading last = reader.readings().back();  // the next run continues from this one
    if (held.count(last.inum) == 0 || ++met % 2 == 0) continue;  // some stay, however many a run reads
    held.erase(last.inum);
    wait_gone(others, last.id);
    ++gone;
  }
  CHECK(gone > 0);
  CHECK(!held.empty());
  const Readings readings = by_inum(reader.readings());
  for (const auto& [inum, fd] : held) {
    INFO(inum);
    CHECK(readings.count(inum) == 1);
  }
}

TEST_CASE("namespaces that are being torn down say so") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  // The kernel tears namespaces down in batches. One that loses its last reference meanwhile waits in the list.
  constexpr int kAttempts = 100;
  bool seen = false;
  for (int attempt = 0; attempt < kAttempts && !seen; ++attempt) {
    std::vector<base::UniqueFd> first(8);
    for (base::UniqueFd& fd : first) fd = new_netns();
    base::UniqueFd second = new_netns();
    const auto inum = netns_facts(second.get()).inum;
    first.clear();
    second.reset();
    const auto readings = readers.namespaces().read(false);
    REQUIRE(readings);
    seen = std::any_of(readings->begin(), readings->end(),
                       [inum](const auto& reading) { return reading.inum == inum && reading.exiting != 0; });
  }
  CHECK(seen);
}

TEST_CASE("a namespace with a table of its own says so") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const NetnsSandbox shared;
  const NetnsSandbox own(Sysctls{}, 64);
  const Readings readings = read_all(readers, false);
  const auto& with_shared = readings.at(static_cast<std::uint32_t>(shared.inode()));
  const auto& with_own = readings.at(static_cast<std::uint32_t>(own.inode()));
  CHECK(with_shared.own_table == 0);
  CHECK(with_shared.table != 0);
  const bool possible = std::ifstream("/proc/sys/net/ipv4/tcp_child_ehash_entries").good();
  CHECK(with_own.own_table == (possible ? 1 : 0));
  CHECK((with_own.table != with_shared.table) == possible);
}

TEST_CASE("the namespaces are read by nobody, without a capability", "[nobody]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const std::size_t count = read_all(readers).size();
  const int code = as_nobody([&] {
    const auto read = readers.namespaces().read(true);
    if (!read) return read.error().code == base::ErrorCode::kPermission ? 2 : 1;
    return read->size() == count ? 0 : 1;
  });
  CHECK(code == (runs_unprivileged() ? 0 : 2));
}

TEST_CASE("where probe reads are forbidden the readers say so", "[quick]") {
  loader::Features none;
  none.probe_read = false;
  const auto readers = loader::Readers::open(none);
  REQUIRE_FALSE(readers);
  CHECK(readers.error().code == base::ErrorCode::kUnsupported);
  CHECK(readers.error().what.find("bpf_probe_read_kernel") != std::string::npos);
}
