// SPDX-License-Identifier: Apache-2.0
// Namespaces without a process. A session counts them, compares them with the kernel, and notices when they are gone.
// Also tests what remains of that without the reader programs.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "bpf/expect.hpp"
#include "kernel/net_settings.hpp"
#include "loader/features.hpp"
#include "support/catch.hpp"
#include "support/cgroup_sandbox.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/netns_sandbox.hpp"
#include "support/tcp_pairs.hpp"
#include "trace/namespaces.hpp"
#include "trace/session.hpp"
#include "trace/translate.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::uint16_t kPort = 5000;

/// A socket that keeps its namespace alive after the descriptor is closed.
base::UniqueFd socket_in(int netns) {
  base::UniqueFd result;
  inside_netns(netns, [&result] { result.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  return result;
}

/// Connects so many times, to several ports from kPort on in turn, and each time takes a local port with bind() before.
/// Closes the clients first. Returns how many found no port.
int bind_connect_and_close(int times, std::uint16_t ports) {
  std::vector<base::UniqueFd> listeners;
  for (std::uint16_t i = 0; i < ports; ++i) listeners.push_back(listen_on(static_cast<std::uint16_t>(kPort + i)));
  int failed = 0;
  for (int i = 0; i < times; ++i) {
    const int which = i % ports;
    sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    TcpPair pair;
    pair.client.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(pair.client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      CHECK(errno == EADDRINUSE);
      ++failed;
      continue;
    }
    address.sin_port = htons(static_cast<std::uint16_t>(kPort + which));
    REQUIRE(connect(pair.client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    pair.server.reset(accept4(listeners[static_cast<std::size_t>(which)].get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(pair.server);
    close_first(pair.client, pair.server);
  }
  return failed;
}

constexpr int kLocalPortRange = 51;  // IP_LOCAL_PORT_RANGE of linux/in.h, since 6.3

/// Connects so many times to kPort, with a range of local ports that the sockets have of their own. The connections are
/// in `kept`. Returns how many found no port; empty: this kernel has no such ranges.
std::optional<int> connect_from(const model::PortRange& own, int times, std::vector<TcpPair>& kept) {
  const base::UniqueFd listener = listen_on(kPort);
  const std::uint32_t range = std::uint32_t{own.last} << 16U | own.first;
  const sockaddr_in address{AF_INET, htons(kPort), {htonl(INADDR_LOOPBACK)}, {}};
  int failed = 0;
  for (int i = 0; i < times; ++i) {
    TcpPair pair;
    pair.client.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (setsockopt(pair.client.get(), IPPROTO_IP, kLocalPortRange, &range, sizeof(range)) != 0) return std::nullopt;
    if (connect(pair.client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      CHECK(errno == EADDRNOTAVAIL);
      ++failed;
      continue;
    }
    pair.server.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(pair.server);
    kept.push_back(std::move(pair));
  }
  return failed;
}

/// Counts without reader programs, so the kernel's counters come from /proc. A session refuses that if its backend
/// needs the readers.
struct WithoutReaders {
  explicit WithoutReaders(std::size_t readings)
      : tracer(open_tracer()), namespaces(std::nullopt, features().counts_at_creation, readings) {
    namespaces.add_existing();
    tracer.set_enabled(true);
    namespaces.narrow_start([this] { return std::as_const(tracer).namespaces(); });
  }

  void sample(bool fresh) {
    namespaces.add_new(tracer.namespaces());
    namespaces.read_before(tracer.namespaces(), fresh);
    std::map<std::uint32_t, model::Counters> counts;
    for (const tw_row& row : tracer.rows()) {
      if (!loader::is_published(row)) continue;
      counts[namespaces.id_at(row.key.netns, tracer.namespaces())] += trace::to_counters(row.counts);
    }
    const std::vector<tw_netns> slots(tracer.namespaces().begin(), tracer.namespaces().end());
    namespaces.observe(counts, slots, {}, nullptr, fresh);
  }

  static loader::Features features() {
    auto found = loader::probe_features("", {});
    REQUIRE(found);
    return *found;
  }

  static loader::Tracer open_tracer() {
    loader::TracerOptions options;
    options.backend = loader::Backend::kTracepoint;
    auto opened = loader::Tracer::open(features(), options);
    INFO((opened ? std::string() : opened.error().what));
    REQUIRE(opened);
    return std::move(*opened);
  }

  loader::Tracer tracer;
  trace::Namespaces namespaces;
};

std::vector<model::NetnsRow> rows_of(const trace::Session& session, std::uint32_t inum) {
  std::vector<model::NetnsRow> rows = session.head().namespaces;
  std::erase_if(rows, [inum](const model::NetnsRow& row) { return row.netns != inum; });
  return rows;
}

}  // namespace

TEST_CASE("a namespace that only a socket holds is compared like any other, and is gone with the socket") {
  if (!privileged()) return;
  const bool before_start = GENERATE(true, false);
  constexpr int kBefore = 5;
  constexpr int kSince = 7;
  std::optional<base::UniqueFd> netns;
  std::optional<trace::Session> session;
  const auto start = [&session] {
    auto started = trace::Session::start({});
    INFO((started ? std::string() : started.error().what));
    REQUIRE(started);
    session.emplace(std::move(*started));
  };
  if (!before_start) start();
  netns.emplace(new_netns());
  base::UniqueFd held = socket_in(netns->get());
  const NetnsFacts facts = netns_facts(netns->get());
  if (before_start) {
    leave_buckets_in(netns->get(), kPort, kBefore);
    start();
  }
  leave_buckets_in(netns->get(), kPort, kSince);
  netns.reset();

  REQUIRE(session->sample(false));
  auto rows = rows_of(*session, facts.inum);
  REQUIRE(rows.size() == 1);
  CHECK_FALSE(rows[0].gone);
  CHECK(rows[0].counts.created() == kSince);
  CHECK(rows[0].reconciled == true);
  CHECK(rows[0].missed.overflow == 0U);
  CHECK(rows[0].in_use == static_cast<std::uint64_t>(kSince + (before_start ? kBefore : 0)));
  CHECK(rows[0].limit == facts.limit);

  held.reset();
  for (int sample = 0; sample < 1000 && !rows.empty() && !rows[0].gone; ++sample) {  // the kernel takes its time
    REQUIRE(session->sample(false));
    rows = rows_of(*session, facts.inum);
  }
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].gone);
  CHECK(rows[0].counts.created() == kSince);
  CHECK_FALSE(rows[0].in_use);
}

TEST_CASE("buckets from before the start have remote ends") {
  if (!privileged()) return;
  const base::UniqueFd netns = new_netns();
  leave_buckets_in(netns.get(), kPort, 5);
  auto session = trace::Session::start({});
  REQUIRE(session);
  session->record_peers(true);
  REQUIRE(session->sample(false));
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  std::map<model::Peer, std::uint64_t> live;
  session->with_source([&](const model::Source& source) {
    std::set<std::uint32_t> ids;
    for (const model::NetnsInfo& info : source.namespaces()) {
      if (info.inum == inum) ids.insert(info.id);
    }
    source.visit_peers([&](const model::Fact& fact) {
      if (fact.kind == model::RowKind::kBeforeStart && ids.contains(fact.identity.netns)) {
        live[*fact.peer] = fact.live.value();
      }
    });
  });
  REQUIRE(live.size() == 1);
  CHECK(live.begin()->first.address == "127.0.0.1");
  CHECK(live.begin()->second == 5);
}

TEST_CASE("a namespace in which nothing was counted is forgotten when it is gone") {
  if (!privileged()) return;
  auto session = trace::Session::start({});
  REQUIRE(session);
  base::UniqueFd netns = new_netns();
  const NetnsFacts facts = netns_facts(netns.get());
  REQUIRE(session->sample(false));
  REQUIRE(rows_of(*session, facts.inum).size() == 1);
  netns.reset();
  for (int sample = 0; sample < 1000 && !rows_of(*session, facts.inum).empty(); ++sample) {
    REQUIRE(session->sample(false));
  }
  CHECK(rows_of(*session, facts.inum).empty());
}

TEST_CASE("settings of a namespace are those that /proc shows inside it") {
  if (!privileged()) return;
  auto session = trace::Session::start({});
  REQUIRE(session);
  const base::UniqueFd netns = new_netns();
  base::NetSettings inside;
  inside_netns(netns.get(), [&inside] {
    write_net_sysctl("tcp_max_tw_buckets", "4711");
    write_net_sysctl("tcp_fin_timeout", "17");
    write_net_sysctl("tcp_tw_reuse", "1");
    write_net_sysctl("tcp_timestamps", "0");
    write_net_sysctl("tcp_max_syn_backlog", "123");
    write_net_sysctl("ip_local_port_range", "30001 60998");
    write_net_sysctl("ip_local_reserved_ports", "30000-30010,40000,60998-61000");
    inside = kernel::read_net_settings();
  });
  REQUIRE(inside.ephemeral_ports == 60998U - 30000 - 10 - 1 - 1);
  REQUIRE(session->sample(false));
  std::set<std::uint32_t> known;
  const auto all = session->settings(known);
  CHECK(session->settings(known).empty());
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  const auto found = std::find_if(all.begin(), all.end(), [inum](const auto& each) { return each.netns == inum; });
  REQUIRE(found != all.end());
  CHECK(found->limit == inside.limit);
  CHECK(found->fin_timeout_s == inside.fin_timeout_s);
  CHECK(found->tw_reuse == inside.tw_reuse);
  CHECK(found->timestamps == 0U);
  CHECK(found->syn_backlog == inside.syn_backlog);
  CHECK(found->somaxconn == inside.somaxconn);
  CHECK(found->ephemeral_ports == inside.ephemeral_ports);
  if (inside.default_limit) CHECK(found->default_limit == inside.default_limit);
}

TEST_CASE("ephemeral ports in use are counted in every namespace, for connections and buckets") {
  if (!privileged()) return;
  constexpr int kOpen = 3;
  constexpr int kClosed = 5;
  auto session = trace::Session::start({});
  REQUIRE(session);
  const base::UniqueFd netns = new_netns();
  std::vector<TcpPair> open(kOpen);
  inside_netns(netns.get(), [&open] {
    write_net_sysctl("ip_local_port_range", "30000 30099");
    write_net_sysctl("ip_local_reserved_ports", "30050-30059");
    const base::UniqueFd listener = listen_on(kPort);
    for (TcpPair& pair : open) pair = make_pair(listener.get(), kPort);
  });
  leave_buckets_in(netns.get(), kPort, kClosed);
  const base::UniqueFd bound = new_netns();
  inside_netns(bound.get(), [] {
    write_net_sysctl("ip_local_port_range", "30000 30099");
    CHECK(bind_connect_and_close(130, 4) == 30);
  });
  REQUIRE(session->sample(false));
  const auto use = session->head().port_use;
  REQUIRE(use);
  const std::uint32_t bound_inum = netns_facts(bound.get()).inum;
  std::map<std::uint16_t, std::array<std::uint64_t, 4>> of_bound;
  for (const model::PortUse& each : *use) {
    if (each.netns != bound_inum) continue;
    if (each.is_pool()) {
      CHECK(each.ports.taken == 100);
      CHECK(each.ports.of == 100);
      CHECK(each.bound == 100U);
      continue;
    }
    CHECK(each.destination.address == "127.0.0.1");
    of_bound[each.destination.port.value()] = {each.ports.taken, each.ports.of, each.bound.value_or(0),
                                               each.bound_to.value_or(0)};
  }
  CHECK(of_bound == std::map<std::uint16_t, std::array<std::uint64_t, 4>>{{kPort, {100, 100, 100, 25}},
                                                                          {kPort + 1, {100, 100, 100, 25}},
                                                                          {kPort + 2, {100, 100, 100, 25}},
                                                                          {kPort + 3, {100, 100, 100, 25}}});
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  const auto found = std::find_if(use->begin(), use->end(), [inum](const auto& each) { return each.netns == inum; });
  REQUIRE(found != use->end());
  CHECK(found->destination == model::Peer{"127.0.0.1", kPort});
  CHECK(found->ports.taken == kOpen + kClosed);
  CHECK(found->ports.of == 90);
}

TEST_CASE("ports that are only bound, and those of listening sockets, are taken for every destination") {
  if (!privileged()) return;
  auto session = trace::Session::start({});
  REQUIRE(session);
  const base::UniqueFd netns = new_netns();
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  base::UniqueFd listener;
  std::vector<base::UniqueFd> bound;
  std::vector<TcpPair> connected(99);
  const auto bind_only = [&bound](int count, std::uint32_t address) {
    for (int i = 0; i < count; ++i) {
      base::UniqueFd& fd = bound.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in any{AF_INET, 0, {htonl(address)}, {}};
      REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0);
    }
  };
  const auto uses = [&] {
    const auto before = session->head().port_use;
    do {  // counting may not take more than its share of a core
      REQUIRE(session->sample(false));
    } while (session->head().port_use == before);
    std::vector<model::PortUse> found;
    for (const model::PortUse& use : *session->head().port_use) {
      if (use.netns == inum) found.push_back(use);
    }
    return found;
  };
  inside_netns(netns.get(), [&] {
    write_net_sysctl("ip_local_port_range", "30000 30599");
    listener = listen_on(30599);
    bind_only(250, INADDR_ANY);
    bind_only(250, INADDR_LOOPBACK);
  });
  const auto only_bound = uses();  // of no destination, and most ports are taken
  REQUIRE(only_bound.size() == 1);
  CHECK(only_bound[0].is_pool());
  CHECK(only_bound[0].ports.taken == 501);
  CHECK(only_bound[0].ports.of == 600);
  CHECK(only_bound[0].bound == 501U);
  inside_netns(netns.get(), [&] {
    for (TcpPair& pair : connected) pair = make_pair(listener.get(), 30599);
  });
  const auto all = uses();
  REQUIRE(all.size() == 2);
  const bool pool_first = all[0].is_pool();
  const model::PortUse& pool = all[pool_first ? 0 : 1];
  const model::PortUse& towards = all[pool_first ? 1 : 0];
  CHECK(pool.ports.taken == 600);
  CHECK(pool.bound == 501U);
  CHECK(towards.destination == model::Peer{"127.0.0.1", std::uint16_t{30599}});
  CHECK(towards.ports.taken == 600);
  CHECK(towards.bound == 501U);
  CHECK(towards.bound_to == 0U);
  bound.resize(100);
  for (TcpPair& pair : connected) close_first(pair.client, pair.server);
  const auto few = uses();
  REQUIRE(few.size() == 1);  // the buckets
  CHECK_FALSE(few[0].is_pool());
  CHECK(few[0].bound == 101U);
  CHECK(few[0].ports.taken == 101 + 99);
}

TEST_CASE("a range of ports that a client has of its own runs out earlier than the namespace's") {
  if (!privileged()) return;
  auto session = trace::Session::start({});
  REQUIRE(session);
  const base::UniqueFd netns = new_netns();
  std::vector<TcpPair> kept;
  std::optional<int> failed;
  inside_netns(netns.get(), [&] {
    write_net_sysctl("ip_local_port_range", "30000 30999");
    leave_buckets_in(own_netns().get(), kPort, 3);
    write_net_sysctl("ip_local_port_range", "30000 39999");
    failed = connect_from({31000, 31009}, 17, kept);
  });
  if (!failed) return mark_skipped("this kernel has no IP_LOCAL_PORT_RANGE");
  CHECK(failed == 7);
  for (std::size_t i = 0; i < 4; ++i) close_first(kept[i].client, kept[i].server);
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  std::vector<model::PortUse> use;
  // The first look finds the range, and the second one counts what is taken of it, buckets too. Looks are limited to a
  // share of the CPU.
  REQUIRE(wait_until([&] {
    REQUIRE(session->sample(false));
    const auto all = session->head().port_use;
    REQUIRE(all);
    use.clear();
    std::copy_if(all->begin(), all->end(), std::back_inserter(use),
                 [inum](const model::PortUse& each) { return each.netns == inum; });
    return !use.empty() && use.front().own;
  }));
  REQUIRE(use.size() == 1);
  CHECK(use[0].destination == model::Peer{"127.0.0.1", kPort});
  CHECK(use[0].own == model::PortRange{31000, 31009});
  CHECK(use[0].ports.taken == 10);
  CHECK(use[0].ports.of == 10);
  CHECK(use[0].bound == 0U);
}

TEST_CASE("with more namespaces than are read at a time, no number is false and the last ones are of now") {
  if (!privileged()) return;
  if (!WithoutReaders::features().counts_at_creation) {
    return mark_skipped("this kernel counts a bucket when it ends, and scans do not see each end: nothing to compare");
  }
  WithoutReaders watch(2);
  std::vector<std::unique_ptr<Arena>> arenas;
  for (int i = 0; i < 7; ++i) arenas.push_back(std::make_unique<Arena>(Sysctls{}));
  std::map<std::uint32_t, std::uint64_t> made;
  const auto check = [&](bool last) {
    watch.sample(last);
    std::size_t compared = 0;
    for (const model::NetnsRow& row : watch.namespaces.rows(1)) {
      if (!made.contains(row.netns)) continue;
      INFO("namespace " << row.netns);
      CHECK(row.counts.created() == made[row.netns]);
      if (row.kernel.created) CHECK(row.kernel.created == made[row.netns]);
      if (row.missed.created) CHECK(row.missed.created == 0U);
      if (row.reconciled) CHECK(*row.reconciled);
      if (row.in_use) CHECK(row.in_use <= made[row.netns]);
      const bool exact = row.reconciled && row.in_use == made[row.netns];
      if (exact) ++compared;
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
    CHECK(samples < 50);
  }
  arenas[3]->run({"client-first", 7, 5031});
  made[static_cast<std::uint32_t>(arenas[3]->netns.inode())] += 7;
  CHECK(check(true) == arenas.size());
}

namespace {

/// A container of LXC, which needs no files to have a name.
class Container {
 public:
  Container(const CgroupSandbox& parent, const std::string& name)
      : cgroup_(parent.directory() + "/lxc.payload." + name) {
    std::filesystem::create_directory(cgroup_);
    netns_.emplace();
    std::ofstream(cgroup_ + "/cgroup.procs") << netns_->holder() << std::flush;
  }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container() {
    netns_.reset();
    std::filesystem::remove(cgroup_);
  }

 private:
  std::string cgroup_;
  std::optional<NetnsSandbox> netns_;
};

}  // namespace

TEST_CASE("a namespace without a name is called after its container, also one that comes later") {
  if (!privileged()) return;
  const CgroupSandbox cgroup("names");
  const Container early(cgroup, "tw-early");
  trace::SessionOptions options;
  options.tending_ns = 0;  // with every drain
  auto session = trace::Session::start(options);
  REQUIRE(session);
  CHECK(session->resolve_netns("tw-early"));
  CHECK_FALSE(session->resolve_netns("tw-late"));
  const Container late(cgroup, "tw-late");
  REQUIRE(session->drain());
  CHECK(session->resolve_netns("tw-late"));
  REQUIRE(session->sample(false));
  std::set<std::string> named;
  for (const model::NetnsRow& row : session->head().namespaces) {
    if (row.is_container) named.insert(row.name);
  }
  CHECK(named.contains("tw-early"));
  CHECK(named.contains("tw-late"));
}
