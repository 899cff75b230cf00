// SPDX-License-Identifier: Apache-2.0
// Sockets with options that change who gets a connection or a port, and connections that SYN cookies let in. Compares
// the counts with the kernel's.
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "bpf/expect.hpp"
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

void check(bool fine) {
  if (!fine) _exit(1);  // in a child process
}

/// A listening socket of kPort that shares it with others.
int listen_with_others(int backlog) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  const sockaddr_in address{AF_INET, htons(kPort), {htonl(INADDR_LOOPBACK)}, {}};
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0);
  check(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 && listen(fd, backlog) == 0);
  return fd;
}

/// The kernel's count of the connection attempts that the listening socket dropped.
std::int64_t drops_of(int listener) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof(info);
  check(getsockopt(listener, SOL_SOCKET, SO_MEMINFO, info.data(), &size) == 0);
  return info[SK_MEMINFO_DROPS];
}

/// Accepts and closes all connections that wait. Returns how many.
std::int64_t close_all(int listener) {
  std::int64_t closed = 0;
  for (int fd = 0; (fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; ++closed) close(fd);
  return closed;
}

/// Listening sockets of one process.
class Workers {
 public:
  explicit Workers(int sockets) {
    for (int i = 0; i < sockets; ++i) listeners_.push_back(listen_with_others(1024));
    for (const int fd : listeners_) check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  }
  /// Accepts and closes all connections that wait. Then the sockets have a short queue. Returns how many.
  std::int64_t close_connections() const {
    return sum([](int fd) {
      const std::int64_t closed = close_all(fd);
      check(listen(fd, 2) == 0);
      return closed;
    });
  }
  std::int64_t drops() const { return sum(drops_of); }

 private:
  std::int64_t sum(const std::function<std::int64_t(int)>& of) const {
    std::int64_t all = 0;
    for (const int fd : listeners_) all += of(fd);
    return all;
  }

  std::vector<int> listeners_;
};

/// Another process with listening sockets. It ends with the object.
class Neighbour {
 public:
  explicit Neighbour(int sockets) {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      close(ends[0]);
      serve(ends[1], sockets);
    }
    close(ends[1]);
    socket_.reset(ends[0]);
    CHECK(answer() == 0);
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  ~Neighbour() {
    socket_.reset();
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  std::int64_t close_connections() const { return ask('c'); }
  std::int64_t drops() const { return ask('d'); }

 private:
  [[noreturn]] static void serve(int socket, int sockets) {
    const Workers workers(sockets);
    const auto say = [socket](std::int64_t number) { check(write(socket, &number, sizeof(number)) == sizeof(number)); };
    say(0);
    for (char what = 0; read(socket, &what, 1) == 1;) say(what == 'c' ? workers.close_connections() : workers.drops());
    _exit(0);
  }
  std::int64_t answer() const {
    std::int64_t number = -1;
    REQUIRE(read(socket_.get(), &number, sizeof(number)) == sizeof(number));
    return number;
  }
  std::int64_t ask(char what) const {
    REQUIRE(write(socket_.get(), &what, 1) == 1);
    return answer();
  }

  base::UniqueFd socket_;
  pid_t pid_ = -1;
};

/// The sum of a field over the rows of the servers of a process.
std::int64_t sum_of_server(const json& snapshot, const NetnsSandbox& netns, pid_t pid, const std::string& field) {
  std::int64_t sum = 0;
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("role") != "server" || row.at("process").at("pid") != pid) continue;
    CHECK(row.at("port") == kPort);
    sum += number(row, field);
  }
  return sum;
}

std::int64_t counter(const NetnsSandbox& netns, const char* name) {
  return static_cast<std::int64_t>(netns_facts(netns.fd()).counters.at(name));
}

void check_created(const json& snapshot, const NetnsSandbox& netns, std::int64_t created) {
  const json entry = namespace_entry(snapshot, netns);
  CHECK(number(entry, "created") == created);
  if (const json& missed = entry.at("missed").at("created"); missed.is_number()) CHECK(missed == 0);
  if (entry.at("kernel").at("created").is_number()) CHECK(number(entry.at("kernel"), "created") == created);
}

}  // namespace

TEST_CASE("of the processes that share a port with SO_REUSEPORT, each has its own buckets and drops") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns;
  pid_t neighbour_pid = 0;
  std::array<std::int64_t, 2> closed{};
  std::array<std::int64_t, 2> drops{};
  json snapshot;
  inside_netns(netns.fd(), [&] {
    const Workers workers(1);
    const Neighbour neighbour(2);
    neighbour_pid = neighbour.pid();
    std::vector<base::UniqueFd> clients;
    for (int i = 0; i < 61; ++i) clients.push_back(connect_to(kPort));
    closed = {workers.close_connections(), neighbour.close_connections()};
    clients.clear();
    for (int i = 0; i < 101; ++i) clients.push_back(begin_to_connect(kPort));
    clients.clear();
    drops = {workers.drops(), neighbour.drops()};
    snapshot = twtrace.fresh();
  });
  CHECK(closed[0] + closed[1] == 61);
  CHECK((closed[0] != 0 && closed[1] != 0));
  CHECK((drops[0] != 0 && drops[1] != 0));
  CHECK(drops[0] + drops[1] == counter(netns, "TcpExt.ListenDrops"));
  CHECK(sum_of_server(snapshot, netns, getpid(), "created") == closed[0]);
  CHECK(sum_of_server(snapshot, netns, neighbour_pid, "created") == closed[1]);
  CHECK(sum_of_server(snapshot, netns, getpid(), "queue_drops") == drops[0]);
  CHECK(sum_of_server(snapshot, netns, neighbour_pid, "queue_drops") == drops[1]);
  CHECK(number(namespace_entry(snapshot, netns), "queue_drops") == drops[0] + drops[1]);
  CHECK(number(namespace_entry(snapshot, netns).at("missed"), "queue_drops") == 0);
}

TEST_CASE("a client with IP_BIND_ADDRESS_NO_PORT is as one without bind()") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"ip_local_port_range", "40000 40009"}, {"tcp_tw_reuse", "0"}});
  int failed = 0;
  inside_netns(netns.fd(), [&] {
    const base::UniqueFd listener = listen_on(kPort);
    std::vector<TcpPair> pairs;
    for (int i = 0; i < 17; ++i) {
      base::UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int on = 1;
      sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
      REQUIRE(setsockopt(client.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0);
      REQUIRE(bind(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
      address.sin_port = htons(kPort);
      if (connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        CHECK(errno == EADDRNOTAVAIL);
        ++failed;
        continue;
      }
      pairs.push_back({std::move(client), base::UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))});
    }
    for (TcpPair& pair : pairs) close_first(pair.client, pair.server);
  });
  CHECK(failed == 7);
  const json snapshot = twtrace.fresh();
  check_created(snapshot, netns, 10);
  CHECK(sum_at(snapshot, netns, "client", kPort, "created") == 10);
  CHECK(sum_at(snapshot, netns, "client", kPort, "no_port") == 7);
  const json entry = namespace_entry(snapshot, netns);
  CHECK(number(entry, "no_port") == 7);
  if (entry.at("no_port_bind").is_number()) CHECK(number(entry, "no_port_bind") == 0);
}

TEST_CASE("connections that SYN cookies let in are a server's, and what its queue drops is counted") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns(Sysctls{{"tcp_syncookies", "2"}, {"tcp_max_tw_buckets", "5"}});
  std::int64_t drops = 0;
  inside_netns(netns.fd(), [&] {
    const base::UniqueFd listener = listen_on(kPort);
    const base::UniqueFd listener_v6 = listen_on(kPort, AF_INET6);
    for (int i = 0; i < 13 + 7; ++i) {
      TcpPair pair = i < 13 ? make_pair(listener.get(), kPort) : make_pair(listener_v6.get(), kPort, AF_INET6);
      close_first(pair.server, pair.client);
    }
    const base::UniqueFd small = listen_on(kOtherPort, AF_INET, 2);
    drops = overflow_queue(kOtherPort, 2, 7);
  });
  CHECK(counter(netns, "TcpExt.SyncookiesRecv") == 13 + 7 + 3);
  const json snapshot = twtrace.fresh();
  check_created(snapshot, netns, 5);
  // The clients of the small queue close first. They are refused, too, unless the listener's end resets them earlier.
  const json entry = namespace_entry(snapshot, netns);
  const std::int64_t refused = counter(netns, "TcpExt.TCPTimeWaitOverflow");
  CHECK(number(entry, "overflow") == refused);
  CHECK(refused >= 8 + 7);
  CHECK(refused <= 8 + 7 + 3);
  CHECK(number(entry, "resets_sent") + number(entry.at("missed"), "resets_sent") == counter(netns, "Tcp.OutRsts"));
  CHECK(sum_at(snapshot, netns, "server", kPort, "created") == 5);
  CHECK(sum_at(snapshot, netns, "server", kPort, "overflow") == 8 + 7);
  CHECK(counter(netns, "TcpExt.ListenDrops") == drops);
  CHECK(sum_at(snapshot, netns, "server", kOtherPort, "queue_drops") == drops);
}
