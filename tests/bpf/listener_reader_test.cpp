// SPDX-License-Identifier: Apache-2.0
// Compares the reader of listening sockets with those of the test, and with the kernel's counter of dropped
// connections.
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/readers.hpp"
#include "support/catch.hpp"
#include "support/cgroup_sandbox.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/netns_sandbox.hpp"
#include "support/tcp_pairs.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

using Listeners = std::vector<tw_listener_reading>;

Listeners listeners_of(loader::Readers& readers, std::uint64_t id,
                       loader::WhichListeners which = loader::WhichListeners::kAll) {
  const auto read = readers.listeners().read(which);
  INFO((read ? std::string() : read.error().what));
  REQUIRE(read);
  CHECK(readers.listeners().summary().given_up == 0);
  Listeners result;
  std::copy_if(read->begin(), read->end(), std::back_inserter(result),
               [id](const tw_listener_reading& each) { return each.netns_id == id; });
  return result;
}

std::multiset<std::uint16_t> ports_of(const Listeners& listeners) {
  std::multiset<std::uint16_t> ports;
  for (const tw_listener_reading& each : listeners) ports.insert(each.port);
  return ports;
}

/// A process in a cgroup that listens in a namespace until destruction.
class ListeningProcess {
 public:
  ListeningProcess(const CgroupSandbox& cgroup, const NetnsSandbox& netns, std::uint16_t port) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) == 0);
    child_ = fork();
    REQUIRE(child_ >= 0);
    char byte = 0;
    if (child_ == 0) {
      close(ends_[0]);
      listen_until_closed(cgroup, netns, port, byte);
    }
    close(ends_[1]);
    REQUIRE(read(ends_[0], &byte, 1) == 1);
  }
  ListeningProcess(const ListeningProcess&) = delete;
  ListeningProcess& operator=(const ListeningProcess&) = delete;
  ~ListeningProcess() {
    close(ends_[0]);
    waitpid(child_, nullptr, 0);
  }

 private:
  [[noreturn]] void listen_until_closed(const CgroupSandbox& cgroup, const NetnsSandbox& netns, std::uint16_t port,
                                        char byte) {
    std::ofstream(cgroup.directory() + "/cgroup.procs") << getpid() << std::flush;
    if (setns(netns.fd(), CLONE_NEWNET) != 0) _exit(1);
    const base::UniqueFd listener = listen_on(port);
    if (write(ends_[1], &byte, 1) != 1) _exit(1);
    _exit(static_cast<int>(read(ends_[1], &byte, 1)));
  }

  int ends_[2] = {-1, -1};
  pid_t child_ = -1;
};

std::uint64_t id_of(const CgroupSandbox& cgroup) {
  struct stat status {};
  REQUIRE(stat(cgroup.directory().c_str(), &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("listening sockets are read once, with their port, family, queue and owner", "[quick]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(GENERATE(0U, 500'000U));
  const NetnsSandbox netns;
  const NetnsSandbox other;
  const std::uint64_t id = id_of(readers, netns.fd());
  std::vector<base::UniqueFd> held;
  inside_netns(netns.fd(), [&held] {
    held.push_back(listen_on(5000, AF_INET, 7));
    held.push_back(listen_on(5001, AF_INET6, 100));
    held.push_back(listen_on(0, AF_INET, 1));
    const base::UniqueFd bound(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // does not listen
  });
  inside_netns(other.fd(), [&held] { held.push_back(listen_on(5000)); });
  const Listeners found = listeners_of(readers, id);
  CHECK(ports_of(found) == std::multiset<std::uint16_t>{5000, 5001, local_port(held[2].get())});
  for (const tw_listener_reading& each : found) {
    CHECK(each.uid == 0);
    CHECK(each.queue == 0);
    CHECK(each.drops == 0);
    CHECK(each.ipv6_only == (each.port == 5001 ? 1 : 0));  // its address is an IPv6 one
    if (each.port == 5000) {
      CHECK(each.family == TW_FAMILY_IPV4);
      CHECK(each.address[0] == 127);
      CHECK(each.queue_limit == 7);
    } else if (each.port == 5001) {
      CHECK(each.family == TW_FAMILY_IPV6);
      CHECK(each.address[15] == 1);
      CHECK(each.queue_limit == 100);
    }
  }
  CHECK(listeners_of(readers, id_of(readers, other.fd())).size() == 1);
  held.erase(held.begin());
  CHECK(ports_of(listeners_of(readers, id)).count(5000) == 0);
}

TEST_CASE("several sockets may listen on one port, and one may take no IPv4") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const NetnsSandbox netns;
  std::vector<base::UniqueFd> held;
  inside_netns(netns.fd(), [&held] {
    const auto listen_v6 = [](std::uint16_t port, int option, int level) {
      base::UniqueFd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int on = 1;
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      REQUIRE(setsockopt(fd.get(), level, option, &on, sizeof(on)) == 0);
      REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
      REQUIRE(listen(fd.get(), 5) == 0);
      return fd;
    };
    for (int i = 0; i < 3; ++i) held.push_back(listen_v6(5000, SO_REUSEPORT, SOL_SOCKET));
    held.push_back(listen_v6(5001, IPV6_V6ONLY, IPPROTO_IPV6));
  });
  const Listeners found = listeners_of(readers, id_of(readers, netns.fd()));
  CHECK(ports_of(found) == std::multiset<std::uint16_t>{5000, 5000, 5000, 5001});
  for (const tw_listener_reading& each : found) CHECK(each.ipv6_only == (each.port == 5001 ? 1 : 0));
}

TEST_CASE("a full queue is told, and its drops are the kernel's ListenDrops") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const NetnsSandbox netns;
  constexpr int kLimit = 3;
  base::UniqueFd listener;
  std::vector<base::UniqueFd> clients;
  inside_netns(netns.fd(), [&] {
    listener = listen_on(5000, AF_INET, kLimit);
    for (int i = 0; i <= kLimit; ++i) clients.push_back(connect_to(5000));  // one more than the limit is let in
    for (int i = 0; i < 5; ++i) clients.push_back(begin_to_connect(5000));
  });
  const std::uint64_t id = id_of(readers, netns.fd());
  std::uint64_t drops = 0;
  while (drops < 5) drops = netns_facts(netns.fd()).counters.at("TcpExt.ListenDrops");
  // An unanswered SYN is sent again, so the number may grow meanwhile.
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  Listeners found;
  do {
    before = netns_facts(netns.fd()).counters.at("TcpExt.ListenDrops");
    found = listeners_of(readers, id);
    after = netns_facts(netns.fd()).counters.at("TcpExt.ListenDrops");
  } while (before != after);
  REQUIRE(found.size() == 1);
  CHECK(found[0].queue == kLimit + 1);
  CHECK(found[0].queue_limit == kLimit);
  CHECK(found[0].drops == after);
}

TEST_CASE("listening sockets that dropped nothing are left out when only the others are wanted", "[quick]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const NetnsSandbox netns;
  std::vector<base::UniqueFd> held;
  inside_netns(netns.fd(), [&held] {
    held.push_back(listen_on(5000, AF_INET, 0));
    held.push_back(listen_on(5001, AF_INET, 0));
    held.push_back(connect_to(5001));  // fills the queue
  });
  const std::uint64_t id = id_of(readers, netns.fd());
  CHECK(listeners_of(readers, id, loader::WhichListeners::kDropping).empty());
  inside_netns(netns.fd(), [&held] { held.push_back(begin_to_connect(5001)); });
  while (netns_facts(netns.fd()).counters.at("TcpExt.ListenDrops") == 0) continue;
  const Listeners found = listeners_of(readers, id, loader::WhichListeners::kDropping);
  CHECK(ports_of(found) == std::multiset<std::uint16_t>{5001});
  CHECK(ports_of(listeners_of(readers, id)) == std::multiset<std::uint16_t>{5000, 5001});
}

TEST_CASE("a listening socket is of the cgroup that it was created in") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const NetnsSandbox netns;
  const CgroupSandbox cgroup("listens");
  const ListeningProcess process(cgroup, netns, 5000);
  const Listeners found = listeners_of(readers, id_of(readers, netns.fd()));
  REQUIRE(found.size() == 1);
  CHECK(found[0].cgroup_id == id_of(cgroup));
}

TEST_CASE("lasting listeners are read once in every pass while others come and go") {
  if (!privileged()) return;
  loader::Readers readers = open_readers(GENERATE(0U, 500'000U));
  const NetnsSandbox netns;
  const std::uint64_t id = id_of(readers, netns.fd());
  std::vector<base::UniqueFd> lasting;
  std::multiset<std::uint16_t> expected;
  inside_netns(netns.fd(), [&] {
    for (std::uint16_t port = 5000; port < 5200; ++port) {
      lasting.push_back(listen_on(port));
      expected.insert(port);
    }
  });
  std::atomic<bool> end = false;
  std::thread churn([&] {
    inside_netns(netns.fd(), [&] {
      for (std::uint16_t port = 6000; !end; port = port == 6999 ? 6000 : static_cast<std::uint16_t>(port + 1)) {
        listen_on(port);
      }
    });
  });
  for (int pass = 0; pass < 100; ++pass) {
    std::multiset<std::uint16_t> found = ports_of(listeners_of(readers, id));
    found.erase(found.lower_bound(6000), found.end());
    if (found != expected) FAIL_CHECK("pass " << pass << ": " << found.size() << " of " << expected.size());
  }
  end = true;
  churn.join();
}

TEST_CASE("the listeners are read by nobody, without a capability", "[nobody]") {
  if (!privileged()) return;
  loader::Readers readers = open_readers();
  const NetnsSandbox netns;
  const std::uint64_t id = id_of(readers, netns.fd());
  base::UniqueFd listener;
  inside_netns(netns.fd(), [&listener] { listener = listen_on(5000); });
  const int code = as_nobody([&] {
    const auto read = readers.listeners().read();
    if (!read) return read.error().code == base::ErrorCode::kPermission ? 2 : 1;
    return std::count_if(read->begin(), read->end(),
                         [id](const tw_listener_reading& each) { return each.netns_id == id; }) == 1
               ? 0
               : 1;
  });
  CHECK(code == (runs_unprivileged() ? 0 : 2));
}
