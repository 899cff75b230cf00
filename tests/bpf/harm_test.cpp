// SPDX-License-Identifier: Apache-2.0
// Who was hurt: connects and binds that find no local port, and connections that a reset ends.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bpf/expect.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr std::uint16_t kPort = 5007;
constexpr std::uint16_t kOtherPort = 5011;

/// Connects to a port of 127.0.0.1, ::1 or, from an IPv6 socket, ::ffff:127.0.0.1. Returns errno; 0: it is in `kept`.
enum class Way { kIpv4, kIpv6, kMapped };
int try_connect(Way way, std::uint16_t port, std::vector<base::UniqueFd>& kept) {
  sockaddr_in v4{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  if (way == Way::kMapped) inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
  const bool is_v4 = way == Way::kIpv4;
  base::UniqueFd fd(socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int failed = is_v4 ? connect(fd.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                           : connect(fd.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  const int error = failed == 0 ? 0 : errno;
  if (error == 0) kept.push_back(std::move(fd));
  return error;
}

int failures(Way way, std::uint16_t port, int times, std::vector<base::UniqueFd>& kept) {
  int failed = 0;
  for (int i = 0; i < times; ++i) {
    if (try_connect(way, port, kept) == EADDRNOTAVAIL) ++failed;
  }
  return failed;
}

/// How many of so many calls of bind() to port 0 find no port. The others are in `kept`. IPv6: of any address.
int bind_failures(int family, std::uint32_t address, int times, std::vector<base::UniqueFd>& kept) {
  const sockaddr_in v4{AF_INET, 0, {htonl(address)}, {}};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  int failed = 0;
  for (int i = 0; i < times; ++i) {
    base::UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int result = family == AF_INET ? bind(fd.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                                         : bind(fd.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
    if (result == 0) {
      kept.push_back(std::move(fd));
    } else if (errno == EADDRINUSE) {
      ++failed;
    }
  }
  return failed;
}

/// Answers to `late` data come before this returns.
void send_late(const base::UniqueFd& socket) { REQUIRE(send(socket.get(), "late", 4, MSG_NOSIGNAL) == 4); }

/// Closes the server's end of a connection. Returns the client's end.
base::UniqueFd close_server(int listener, int family) {
  TcpPair pair = make_pair(listener, kPort, family);
  std::swap(pair.client, pair.server);
  return close_one_end(std::move(pair));
}

std::uint64_t refusals(int netns) { return netns_facts(netns).counters.at("TcpExt.TCPTimeWaitOverflow"); }

}  // namespace

TEST_CASE("a connect() that finds no local port is counted for its process and destination", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"ip_local_port_range", "40000 40009"}});
  inside_netns(netns.fd(), [] {
    const base::UniqueFd listener = listen_on(kPort);
    const base::UniqueFd listener_v6 = listen_on(kOtherPort, AF_INET6);
    std::vector<base::UniqueFd> kept;
    // Only those that find no port: a refused connect() and one from a port of its own have one.
    CHECK(try_connect(Way::kIpv4, 9, kept) == ECONNREFUSED);
    const base::UniqueFd bound = connect_to(kPort, AF_INET, 39999);
    REQUIRE(failures(Way::kIpv4, kPort, 17, kept) == 7);
    REQUIRE(failures(Way::kMapped, kPort, 23, kept) == 23);
    REQUIRE(failures(Way::kIpv6, kOtherPort, 29, kept) == 19);
  });
  const json snapshot = twtrace.fresh();
  CHECK(sum_of_all(snapshot, netns, "no_port") == 7 + 23 + 19);
  CHECK(sum_at(snapshot, netns, "client", kPort, "no_port") == 7 + 23);
  CHECK(sum_at(snapshot, netns, "client", kOtherPort, "no_port") == 19);
  CHECK(number(namespace_entry(snapshot, netns), "no_port") == 7 + 23 + 19);
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("no_port") == 0) continue;
    CHECK(row.at("process").at("pid") == getpid());
    CHECK(row.at("attribution") == "closer");
  }
}

TEST_CASE("a bind() to port 0 that finds no local port is counted for its process", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"ip_local_port_range", "40000 40009"}});
  inside_netns(netns.fd(), [] {
    const base::UniqueFd listener = listen_on(kPort);
    std::vector<base::UniqueFd> kept;
    CHECK(bind_failures(AF_INET, INADDR_LOOPBACK, 10, kept) == 0);
    CHECK(bind_failures(AF_INET, INADDR_LOOPBACK, 13, kept) == 13);
    CHECK(bind_failures(AF_INET, INADDR_ANY, 5, kept) == 5);
    CHECK(bind_failures(AF_INET6, INADDR_ANY, 7, kept) == 7);
    // Neither chooses: one asks for a port that is taken, the other leaves it to connect().
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    kept.emplace_back(taken);
    const sockaddr_in same{AF_INET, htons(kPort), {htonl(INADDR_LOOPBACK)}, {}};
    CHECK((bind(taken, reinterpret_cast<const sockaddr*>(&same), sizeof(same)) != 0 && errno == EADDRINUSE));
    CHECK(try_connect(Way::kIpv4, kPort, kept) == EADDRNOTAVAIL);
  });
  const json snapshot = twtrace.fresh();
  const bool seen = !snapshot.at("totals").at("no_port_bind").is_null();
  CHECK((seen || snapshot.at("probe").at("backend") == "tracepoint"));
  CHECK(namespace_entry(snapshot, netns).at("no_port") == (seen ? 13 + 5 + 7 + 1 : 1));
  if (!seen) return;
  CHECK(number(namespace_entry(snapshot, netns), "no_port_bind") == 13 + 5 + 7);
  CHECK(sum_of_all(snapshot, netns, "no_port_bind") == 13 + 5 + 7);
  CHECK(sum_at(snapshot, netns, "client", kPort, "no_port") == 1);
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("no_port_bind") == 0) continue;
    CHECK(row.at("process").at("pid") == getpid());
    CHECK(row.at("attribution") == "closer");
    CHECK(row.at("role") == "client");
    CHECK(row.at("port").is_null());
    CHECK(row.at("ports") == 0);
  }
}

TEST_CASE("resets are received by everybody, and felt by those who still have the socket", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"tcp_max_tw_buckets", "0"}});
  inside_netns(netns.fd(), [] {
    const base::UniqueFd listener = listen_on(kPort);
    for (int i = 0; i < 13; ++i) {  // the server aborts, and the client still has its socket
      TcpPair pair = make_pair(listener.get(), kPort);
      reset_on_close(pair.server.get());
      pair.server.reset();
      wait_for_reset(pair.client.get());
    }
    std::vector<base::UniqueFd> clients;
    for (int i = 0; i < 17; ++i) clients.push_back(close_server(listener.get(), AF_INET));
    REQUIRE(refusals(own_netns().get()) == 17);
    clients.clear();  // each client's FIN is answered with a reset
    std::vector<base::UniqueFd> kept;
    CHECK(try_connect(Way::kIpv4, 9, kept) == ECONNREFUSED);  // has lost no connection
  });
  const json snapshot = twtrace.fresh();
  for (const auto& [field, count] : {std::pair("resets_felt", 13), {"resets_received", 13 + 17}, {"overflow", 17}}) {
    INFO(field);
    CHECK(sum_of_all(snapshot, netns, field) == count);
    CHECK(number(namespace_entry(snapshot, netns), field) == count);
  }
  CHECK(sum_at(snapshot, netns, "client", kPort, "resets_felt") == 13);
  CHECK(sum_at(snapshot, netns, "client", kPort, "resets_received") == 13 + 17);
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("resets_felt") == 0) continue;
    CHECK(row.at("process").at("pid") == getpid());
    CHECK(row.at("attribution") == "closer");
  }
}

TEST_CASE("each reset that is sent has its cause, and together they are OutRsts", "[quick]") {
  if (!privileged()) return;
  const int family = GENERATE(AF_INET, AF_INET6, kMapped);
  CAPTURE(family);
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"tcp_max_tw_buckets", "50"}});
  inside_netns(netns.fd(), [&] {
    base::UniqueFd listener = listen_on(kPort, family);
    std::vector<base::UniqueFd> clients;
    for (int i = 0; i < 50 + 100; ++i) clients.push_back(close_server(listener.get(), family));  // 50 get the buckets
    REQUIRE(refusals(own_netns().get()) == 100);
    for (std::size_t i = 0; i < clients.size(); ++i) {  // half of each kind send data, the others only close
      if (i % 2 == 1) send_late(clients[i]);
      if (i % 2 == 1) wait_for_reset(clients[i].get());
      clients[i].reset();
    }
    for (int i = 0; i < 13; ++i) {
      TcpPair pair = make_pair(listener.get(), kPort, family);
      reset_on_close(pair.client.get());
      pair.client.reset();
      wait_for_reset(pair.server.get());
    }
    std::vector<base::UniqueFd> kept;
    const Way way = family == AF_INET ? Way::kIpv4 : family == AF_INET6 ? Way::kIpv6 : Way::kMapped;
    for (int i = 0; i < 7; ++i) CHECK(try_connect(way, 9, kept) == ECONNREFUSED);
    for (int i = 0; i < 3; ++i) kept.push_back(connect_to(kPort, family));
    listener.reset();  // the kernel resets what nobody has accepted
    for (const base::UniqueFd& client : kept) wait_for_reset(client.get());
  });
  const auto sent = static_cast<std::int64_t>(netns_facts(netns.fd()).counters.at("Tcp.OutRsts"));
  CHECK(sent == 50 + 50 + 25 + 13 + 7 + 3);
  const json snapshot = twtrace.fresh();
  const json entry = namespace_entry(snapshot, netns);
  CHECK(number(entry, "resets_sent") + number(entry.at("missed"), "resets_sent") == sent);
  CHECK(number(entry.at("kernel"), "out_resets") == sent);
  CHECK(number(entry, "peer_resets") == 50 + 50);
  CHECK(number(entry, "peer_resets_avoidable") == 50);
  CHECK(number(entry, "resets_aborted") == 13);
  CHECK(number(entry, "resets_other") == 3);
  const bool all = !misses_resets(snapshot);
  CHECK((all || snapshot.at("probe").at("backend") == "tracepoint"));
  CHECK(number(entry, "resets_late") == (all ? 25 : 0));
  CHECK(number(entry, "resets_closed_port") == (all ? 7 : 0));
  CHECK(number(entry.at("missed"), "resets_sent") == (all ? 0 : 25 + 7));
  CHECK(sum_at(snapshot, netns, "server", kPort, "peer_resets") == 50 + 50);
  CHECK(sum_at(snapshot, netns, "server", kPort, "peer_resets_avoidable") == 50);
  CHECK(sum_at(snapshot, netns, "server", kPort, "resets_late") == (all ? 25 : 0));
  CHECK(sum_at(snapshot, netns, "server", kPort, "resets_other") == 3);
  CHECK(sum_at(snapshot, netns, "client", kPort, "resets_aborted") == 13);
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("peer_resets") != 0 || row.at("resets_aborted") != 0) CHECK(row.at("process").at("pid") == getpid());
  }
}

TEST_CASE("a reset that comes when the bucket would be gone, too, could not be avoided", "[quick]") {
  if (!privileged()) return;
  const auto [fin_timeout, life_ms] = GENERATE(std::pair("60", 60'000), std::pair("40", 40'000));
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"tcp_max_tw_buckets", "0"}, {"tcp_fin_timeout", fin_timeout}});
  inside_netns(netns.fd(), [&, life = life_ms] {
    const base::UniqueFd listener = listen_on(kPort);
    const auto refuse = [&](int count) {
      std::vector<base::UniqueFd> clients;
      for (int i = 0; i < count; ++i) clients.push_back(close_server(listener.get(), AF_INET));
      return clients;
    };
    std::vector<base::UniqueFd> clients = refuse(7);
    twtrace.wait_for([&](const json& snapshot) { return sum_of(snapshot, netns, "overflow") == 7; });
    age_refused(twtrace.process().pid(), std::chrono::milliseconds(life + 1));
    for (base::UniqueFd& client : refuse(5)) clients.push_back(std::move(client));
    REQUIRE(refusals(own_netns().get()) == 7 + 5);
    clients.clear();  // each client's FIN is answered with a reset
  });
  const json snapshot = twtrace.fresh();
  CHECK(sum_of_all(snapshot, netns, "peer_resets") == 7 + 5);
  CHECK(sum_of_all(snapshot, netns, "peer_resets_avoidable") == 5);
}

TEST_CASE("a SYN from the port of a refused connection is another connection's", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"tcp_max_tw_buckets", "0"}});
  constexpr std::uint16_t kFirst = 40000;
  constexpr int kRefused = 7;
  inside_netns(netns.fd(), [] {
    base::UniqueFd listener = listen_on(kPort);
    for (std::uint16_t i = 0; i < kRefused; ++i) {
      TcpPair pair = make_pair(listener.get(), kPort, AF_INET, static_cast<std::uint16_t>(kFirst + i));
      close_first(pair.server, pair.client);
    }
    listener.reset();
    for (std::uint16_t i = 0; i < kRefused; ++i) {
      CHECK_THROWS(connect_to(kPort, AF_INET, static_cast<std::uint16_t>(kFirst + i)));
    }
  });
  REQUIRE(netns_facts(netns.fd()).counters.at("Tcp.OutRsts") == kRefused);
  const json snapshot = twtrace.fresh();
  CHECK(sum_of(snapshot, netns, "overflow") == kRefused);
  const json entry = namespace_entry(snapshot, netns);
  CHECK(number(entry, "peer_resets") == 0);
  CHECK(number(entry, "resets_closed_port") == (misses_resets(snapshot) ? 0 : kRefused));
}

namespace {

/// As listen_on(), when the port is free again. While twtrace looks through the files of a process it holds one of
/// them, and one that is closed then ends a moment later.
base::UniqueFd listen_again(std::uint16_t port, int backlog) {
  base::UniqueFd listener;
  REQUIRE(wait_until([&] {
    try {
      listener = listen_on(port, AF_INET, backlog);
    } catch (const std::runtime_error&) {
      return false;
    }
    return true;
  }));
  return listener;
}

json queue_on(const json& snapshot, const NetnsSandbox& netns, std::uint16_t port) {
  for (const json& queue : snapshot.at("queues")) {
    if (queue.at("netns") == netns.inode() && queue.at("port") == port) return queue;
  }
  return {};
}

void check_drops(const json& snapshot, const NetnsSandbox& netns) {
  check_sum_of_drops(snapshot, netns);
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("queue_drops") != 0) CHECK(row.at("process").at("pid") == getpid());
  }
}

}  // namespace

TEST_CASE("what listening sockets drop is counted for process and port, and together it is ListenDrops", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"tcp_max_syn_backlog", "77"}});
  const NetnsSandbox with_resets;
  std::vector<base::UniqueFd> listeners;
  std::int64_t stays = 0;
  std::int64_t closes = 0;
  inside_netns(netns.fd(), [&] {
    listeners.push_back(listen_on(kPort, AF_INET, 2));
    const base::UniqueFd other = listen_on(kOtherPort, AF_INET, 3);
    stays = overflow_queue(kPort, 2, 7);
    closes = overflow_queue(kOtherPort, 3, 11);
  });
  inside_netns(with_resets.fd(), [&] {
    listeners.push_back(listen_on(kPort, AF_INET, 2));
    listeners.push_back(listen_on(kOtherPort, AF_INET, 2));
    // As a peer sends that knows nothing of a connection: no connection attempt, but the kernel raises the listening
    // socket's counter.
    for (int i = 0; i < 5; ++i) send_segment(9, kPort, TH_RST);
    overflow_queue(kPort, 2, 13);
  });
  const json snapshot = twtrace.fresh();
  check_drops(snapshot, netns);
  check_drops(snapshot, with_resets);
  CHECK(sum_at(snapshot, netns, "server", kPort, "queue_drops") == stays);
  CHECK(sum_at(snapshot, netns, "server", kOtherPort, "queue_drops") == closes);
  CHECK(queue_on(snapshot, netns, kPort).at("drops") == stays);
  CHECK(queue_on(snapshot, netns, kPort).at("limit") == 2);
  CHECK(queue_on(snapshot, netns, kPort).at("tcp_max_syn_backlog") == 77);
  CHECK(queue_on(snapshot, netns, kOtherPort).at("limit") == 3);
}

TEST_CASE("where no program may look at the files of processes, what is dropped is counted for the service") {
  if (!privileged()) return;
  TwtraceRun twtrace({"--no-feature", "task-files"});
  const NetnsSandbox netns;
  base::UniqueFd listener;
  std::int64_t drops = 0;
  inside_netns(netns.fd(), [&] {
    listener = listen_on(kPort, AF_INET, 2);
    drops = overflow_queue(kPort, 2, 7);
  });
  const json snapshot = twtrace.fresh();
  check_sum_of_drops(snapshot, netns);
  CHECK(sum_at(snapshot, netns, "server", kPort, "queue_drops") == drops);
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("queue_drops") == 0) continue;
    CHECK(row.at("attribution") == "cgroup");
    CHECK(row.at("process").at("uid") == getuid());
    CHECK(row.at("process").at("pid").is_null());
  }
  twtrace.stop();
}

TEST_CASE("what sockets drop that listen for a moment is counted, whenever they close while twtrace looks", "[quick]") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns;
  std::int64_t drops = 0;
  inside_netns(netns.fd(), [&] {
    for (int i = 0; i < 50; ++i) {
      const base::UniqueFd listener = listen_again(kPort, 1);
      drops += overflow_queue(kPort, 1, 3);
    }
  });
  const json snapshot = twtrace.fresh();
  check_drops(snapshot, netns);
  CHECK(sum_at(snapshot, netns, "server", kPort, "queue_drops") == drops);
}
