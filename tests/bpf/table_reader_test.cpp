// SPDX-License-Identifier: Apache-2.0
// Compares the reader of the tables with sockstat and with the connections of the test. It must find each exactly once,
// whatever else comes and goes in the same chains.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/readers.hpp"
#include "loader/table_sums.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/netns_sandbox.hpp"
#include "support/tcp_pairs.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::uint64_t kShortest = 0;  // ns of a run
constexpr std::uint64_t kUsual = 500'000;

/// Local and remote port of each bucket. A bucket that is found twice appears twice.
using Ports = std::multiset<std::pair<std::uint16_t, std::uint16_t>>;

struct Pass {
  std::map<std::uint64_t, std::vector<tw_socket_reading>> readings;  ///< by namespace
  loader::WalkSummary summary;

  std::size_t count(std::uint64_t id) const { return readings.count(id) == 0 ? 0 : readings.at(id).size(); }
  Ports ports(std::uint64_t id) const {
    Ports result;
    if (readings.count(id) == 0) return result;
    for (const tw_socket_reading& each : readings.at(id)) result.emplace(each.local_port, each.remote_port);
    return result;
  }
};

Pass read_table(loader::Readers& readers, std::uint32_t what = TW_READ_BUCKETS) {
  Pass pass;
  const auto namespaces = readers.namespaces().read(false);
  REQUIRE(namespaces);
  const auto read = readers.table().read(
      *namespaces, what, [&pass](const tw_socket_reading& each) { pass.readings[each.netns_id].push_back(each); });
  INFO((read ? std::string() : read.error().what));
  REQUIRE(read);
  CHECK(read->given_up == 0);
  pass.summary = *read;
  return pass;
}

/// A namespace with a high limit. It has only the connections of the test.
struct Place {
  explicit Place(loader::Readers& readers, unsigned chains = 0)
      : netns(Sysctls{{"tcp_max_tw_buckets", "100000"}, {"tcp_tw_reuse", "0"}, {"tcp_rfc1337", "1"}}, chains),
        id(id_of(readers, netns.fd())) {}

  void inside(const std::function<void()>& action) const { inside_netns(netns.fd(), action); }

  NetnsSandbox netns;
  std::uint64_t id;
};

/// Leaves `count` buckets of clients. connect() chooses their ports, which are returned.
Ports leave_buckets(int count, std::uint16_t port, int family = AF_INET) {
  Ports ports;
  const base::UniqueFd listener = listen_on(port, family);
  for (int i = 0; i < count; ++i) {
    TcpPair pair = make_pair(listener.get(), port, family);
    ports.emplace(local_port(pair.client.get()), port);
    close_first(pair.client, pair.server);
  }
  return ports;
}

/// Opens connections and resets them, so that sockets enter the chains and leave at once.
class Churn {
 public:
  explicit Churn(const Place& place, std::uint16_t port)
      : thread_([this, &place, port] { place.inside([this, port] { run(port); }); }) {}
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;
  ~Churn() {
    end_ = true;
    thread_.join();
  }

  std::uint64_t connections() const { return connections_; }

 private:
  void run(std::uint16_t port) {
    const base::UniqueFd listener = listen_on(port);
    while (!end_) {
      TcpPair pair = make_pair(listener.get(), port);
      reset_on_close(pair.client.get());
      pair.client.reset();
      pair.server.reset();
      ++connections_;
    }
  }

  std::atomic<bool> end_ = false;
  std::atomic<std::uint64_t> connections_ = 0;
  std::thread thread_;
};

bool own_tables_possible() { return std::ifstream("/proc/sys/net/ipv4/tcp_child_ehash_entries").good(); }

/// Waits for the buckets, because a softirq creates them.
void wait_in_use(const Place& place, std::uint64_t count) {
  while (netns_facts(place.netns.fd()).in_use != count) std::this_thread::yield();
}

std::size_t count_of(const Pass& pass, std::uint64_t id, unsigned flags) {
  std::size_t count = 0;
  if (pass.readings.count(id) == 0) return count;
  for (const tw_socket_reading& each : pass.readings.at(id)) count += (each.what & flags) == flags;
  return count;
}

}  // namespace

TEST_CASE("the buckets of every namespace are found once, as many as sockstat has", "[quick]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(GENERATE(kShortest, kUsual));
  std::vector<std::unique_ptr<Place>> places;
  std::vector<Ports> made;
  for (int i = 0; i < 12; ++i) {
    places.push_back(std::make_unique<Place>(readers, i % 3 == 2 ? 16 : 0));
    places.back()->inside([&] { made.push_back(leave_buckets(i * 7 % 23, 5000, i % 2 == 0 ? AF_INET : AF_INET6)); });
  }
  const Pass pass = read_table(readers);
  for (std::size_t i = 0; i < places.size(); ++i) {
    INFO("namespace " << i);
    CHECK(pass.count(places[i]->id) == netns_facts(places[i]->netns.fd()).in_use);
    CHECK(pass.ports(places[i]->id) == made[i]);
    if (made[i].empty()) continue;
    const tw_socket_reading& first = pass.readings.at(places[i]->id).front();
    CHECK(first.family == (i % 2 == 0 ? TW_FAMILY_IPV4 : TW_FAMILY_IPV6));
    CHECK(first.state == TCP_TIME_WAIT);
    CHECK(first.what == (TW_READ_BUCKETS | TW_READ_CHOSEN));
    CHECK(first.local_address[i % 2 == 0 ? 0 : 15] == (i % 2 == 0 ? 127 : 1));
  }
}

TEST_CASE("FIN_WAIT2 buckets and buckets of servers are found") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const Place place(readers);
  std::vector<base::UniqueFd> others;
  place.inside([&others] {
    const base::UniqueFd listener = listen_on(5000);
    for (int i = 0; i < 5; ++i) others.push_back(close_one_end(make_pair(listener.get(), 5000)));
    for (int i = 0; i < 3; ++i) {
      TcpPair pair = make_pair(listener.get(), 5000);
      close_first(pair.server, pair.client);
    }
  });
  wait_in_use(place, 8);
  const Pass pass = read_table(readers);
  CHECK(pass.count(place.id) == 8);
  CHECK(count_of(pass, place.id, TW_READ_CHOSEN) == 5);
  CHECK(count_of(pass, place.id, TW_READ_FIXED) == 3);
}

TEST_CASE("fixed buckets are found once in every pass while others come and go in the same chains") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(GENERATE(kShortest, kUsual));
  const Place place(readers, GENERATE(1U, 16U));  // several hundred sockets in a chain, where tables can be that small
  Ports fixed;
  place.inside([&fixed] { fixed = leave_buckets(499, 5000); });
  const Churn first(place, 5001);
  const Churn second(place, 5002);
  constexpr int kPasses = 100;
  for (int i = 0; i < kPasses; ++i) {
    const Ports found = read_table(readers).ports(place.id);
    if (found == fixed) continue;
    FAIL("pass " << i << ": " << found.size() << " buckets instead of " << fixed.size());
  }
  CHECK(first.connections() + second.connections() > 0);
}

TEST_CASE("a chain is walked again when the socket is gone from which a run goes on") {
  if (!privileged()) return;
  if (!own_tables_possible()) return mark_skipped("tables of one chain need tcp_child_ehash_entries");
  loader::Readers readers = open_readers(kShortest);
  const Place place(readers, 1);
  std::vector<TcpPair> passing(40);  // new sockets come before older ones, and a run reads 32
  std::vector<TcpPair> lasting(10);
  Ports expected;
  place.inside([&] {
    const base::UniqueFd listener = listen_on(5000);
    for (TcpPair& pair : passing) pair = make_pair(listener.get(), 5000);
    for (TcpPair& pair : lasting) {
      pair = make_pair(listener.get(), 5000);
      expected.emplace(local_port(pair.client.get()), 5000);
    }
  });
  const auto namespaces = readers.namespaces().read(false);
  REQUIRE(namespaces);
  const auto own = std::find_if(namespaces->begin(), namespaces->end(),
                                [&](const tw_namespace_reading& reading) { return reading.id == place.id; });
  REQUIRE(own != namespaces->end());
  Ports found;
  const auto note = [&found](const tw_socket_reading& each) { found.emplace(each.local_port, each.remote_port); };
  readers.table().begin({&*own, 1}, TW_READ_PORTS);
  const auto first = readers.table().advance(0, note);
  REQUIRE(first);
  CHECK_FALSE(*first);
  CHECK(readers.table().summary().entries == 32);
  for (TcpPair& pair : passing) {
    reset_on_close(pair.client.get());
    pair = {};
  }
  const auto rest = readers.table().advance(UINT64_MAX, note);
  REQUIRE(rest);
  CHECK(*rest);
  CHECK(readers.table().summary().restarts == 1);
  CHECK(readers.table().summary().given_up == 0);
  CHECK(found == expected);
}

TEST_CASE("while buckets are created a pass finds those from before it and none that came after it") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(GENERATE(kShortest, kUsual));
  const Place place(readers, GENERATE(0U, 16U));
  std::atomic<std::size_t> begun = 0;
  std::atomic<std::size_t> created = 0;
  constexpr std::size_t kBuckets = 3001;
  std::thread creator([&] {
    place.inside([&] {
      const base::UniqueFd listener = listen_on(5000);
      for (std::size_t i = 0; i < kBuckets; ++i) {
        TcpPair pair = make_pair(listener.get(), 5000);
        ++begun;
        close_first(pair.client, pair.server);
        ++created;
      }
    });
  });
  std::size_t least = 0;
  do {
    least = created;
    const std::size_t found = read_table(readers).count(place.id);
    const std::size_t most = begun;
    CHECK(found >= least);
    CHECK(found <= most);
  } while (least < kBuckets);
  creator.join();
  CHECK(read_table(readers).count(place.id) == kBuckets);
}

TEST_CASE("a namespace that goes away during a pass takes its own table with it and nothing else") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(kShortest);
  const Place lasting(readers, 16);
  auto passing = std::make_unique<Place>(readers, 16);
  Ports made;
  lasting.inside([&made] { made = leave_buckets(211, 5000); });
  passing->inside([] { leave_buckets(211, 5000); });
  const auto namespaces = readers.namespaces().read(false);
  REQUIRE(namespaces);
  const std::vector<tw_namespace_reading> all(namespaces->begin(), namespaces->end());
  Ports found;
  readers.table().begin(all, TW_READ_BUCKETS);
  std::size_t runs = 0;
  while (true) {
    const auto done = readers.table().advance(0, [&](const tw_socket_reading& each) {
      if (each.netns_id == lasting.id) found.emplace(each.local_port, each.remote_port);
    });
    REQUIRE(done);
    if (*done) break;
    if (++runs != 3) continue;  // in the middle of some table
    const std::uint64_t id = passing->id;
    passing->netns.remove();
    wait_gone(readers, id);
  }
  CHECK(runs > 3);
  CHECK(found == made);
}

TEST_CASE("ports that are taken towards a destination are told, by sockets in any state") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const Place place(readers);
  std::vector<TcpPair> open;
  place.inside([&open] {
    write_net_sysctl("ip_local_port_range", "40000 40999");
    write_net_sysctl("ip_local_reserved_ports", "40500-40509");
    const base::UniqueFd listener = listen_on(5000);
    leave_buckets(7, 5001);
    for (int i = 0; i < 5; ++i) open.push_back(make_pair(listener.get(), 5000));
    open.push_back(make_pair(listener.get(), 5000, AF_INET, 40505));  // reserved: connect() does not choose it
    open.push_back(make_pair(listener.get(), 5000, AF_INET, 3000));   // out of range
    TcpPair half = make_pair(listener.get(), 5000);
    half.server = close_one_end(std::move(half));
    open.push_back(std::move(half));
  });
  loader::PortTally tally;
  const Pass pass = read_table(readers, TW_READ_PORTS);
  for (const tw_socket_reading& each : pass.readings.at(place.id)) tally.add(each);
  const auto fullest = tally.fullest(10);
  REQUIRE(fullest.size() == 2);
  CHECK(fullest[0].taken == 7);
  CHECK(fullest[0].remote.port == 5001);
  CHECK(fullest[1].taken == 6);
  CHECK(fullest[1].remote.port == 5000);
  CHECK(fullest[0].remote.address[0] == 127);
  CHECK(fullest[1].outside == 2);
  CHECK(count_of(pass, place.id, TW_READ_PORTS) + 2 == pass.count(place.id));  // those two

  place.inside([] { write_net_sysctl("ip_local_port_range", "3000 3999"); });  // only the next pass sees it
  CHECK(count_of(read_table(readers, TW_READ_PORTS), place.id, TW_READ_PORTS) == 1);
}

TEST_CASE("ports that bind() took are told from those that connect() chose, with the role of each end", "[quick]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const Place place(readers);
  const int family = GENERATE(AF_INET, AF_INET6);
  std::vector<TcpPair> open;
  place.inside([&] {
    write_net_sysctl("ip_local_port_range", "40000 40999");
    const base::UniqueFd listener = listen_on(5000, family);
    const base::UniqueFd other = listen_on(5001, family);
    const base::UniqueFd ephemeral = listen_on(40900, family);
    for (std::uint16_t port = 40000; port < 40003; ++port) {
      open.push_back(make_pair(listener.get(), 5000, family, port));
    }
    TcpPair closed = make_pair(listener.get(), 5000, family, 40003);
    close_first(closed.client, closed.server);
    for (std::uint16_t port = 3000; port < 3002; ++port) {
      open.push_back(make_pair(other.get(), 5001, family, port));
    }
    for (int i = 0; i < 5; ++i) open.push_back(make_pair(other.get(), 5001, family));
    for (int i = 0; i < 7; ++i) open.push_back(make_pair(ephemeral.get(), 40900, family));
  });
  loader::PortTally tally;
  const Pass pass = read_table(readers, TW_READ_PORTS);
  for (const tw_socket_reading& each : pass.readings.at(place.id)) tally.add(each);
  std::vector<std::vector<std::size_t>> found;  // port, ports taken, bound, bound and connected to it, outside
  for (const loader::TakenPorts& ports : tally.fullest(100)) {
    found.push_back({ports.remote.port, ports.taken, ports.bound, ports.bound_to, ports.outside});
  }
  // The five that bind() took include that of the server in the range.
  CHECK(found ==
        std::vector<std::vector<std::size_t>>{{40900, 7 + 5, 5, 0, 0}, {5001, 5 + 5, 5, 0, 2}, {5000, 5, 5, 4, 0}});
}

TEST_CASE("the tables are read by nobody, without a capability", "[nobody]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const Place place(readers);
  place.inside([] { leave_buckets(13, 5000); });
  const int code = as_nobody([&] {
    const auto namespaces = readers.namespaces().read(false);
    if (!namespaces) return namespaces.error().code == base::ErrorCode::kPermission ? 2 : 1;
    int found = 0;
    const auto read = readers.table().read(*namespaces, TW_READ_BUCKETS,
                                           [&](const tw_socket_reading& each) { found += each.netns_id == place.id; });
    return read && found == 13 ? 0 : 1;
  });
  CHECK(code == (runs_unprivileged() ? 0 : 2));
}
