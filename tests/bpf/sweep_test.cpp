// SPDX-License-Identifier: Apache-2.0
// The kernel side forgets a connection when scans no longer find it, and not earlier.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"
#include "bpf/expect.hpp"
#include "bpf/scanner.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void wait_for_state(const base::UniqueFd& fd, int state) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (true) {
    tcp_info info{};
    socklen_t size = sizeof(info);
    REQUIRE(getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    if (info.tcpi_state == state) return;
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// Connects the socket to the listener and sends the FIN. Returns the other end.
base::UniqueFd connect_and_shut_down(const base::UniqueFd& fd, const base::UniqueFd& listener, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  base::UniqueFd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(peer);
  REQUIRE(shutdown(fd.get(), SHUT_WR) == 0);
  wait_for_state(fd, TCP_FIN_WAIT2);
  return peer;
}

void disconnect(const base::UniqueFd& fd) {
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  REQUIRE(connect(fd.get(), &unspecified, sizeof(unspecified)) == 0);
}

}  // namespace

TEST_CASE("buckets are forgotten after two scans that have not found them") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  Scanner scanner(arena.netns, GENERATE(true, false));
  scanner.scan();
  arena.run({"syn-recycle", kBuckets, 5013});  // all of them are gone again
  REQUIRE(arena.after.in_use == 0);
  std::vector<loader::SweptBucket> gone;
  scanner.scan();
  scanner.sweep(gone, loader::Pace::kSlice);
  CHECK(gone.empty());
  scanner.scan();
  scanner.sweep(gone, loader::Pace::kSlice);
  std::set<std::uint64_t> keys;
  for (const loader::SweptBucket& swept : gone) keys.insert(swept.key);
  CHECK(gone.size() == kBuckets);
  CHECK(keys.size() == kBuckets);
}

TEST_CASE("sockets keep their owner while a scan finds them, and are let go when two have not looked") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  Scanner scanner(arena.netns, GENERATE(true, false));
  scanner.scan();
  arena.spec = {"orphaned-before-start", 7, 5035};
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  REQUIRE(scanner.waiting() == 7);
  std::vector<loader::SweptBucket> gone;
  for (int scans = 0; scans < 3; ++scans) {
    scanner.scan();
    scanner.sweep(gone, loader::Pace::kWhole);
    CHECK(scanner.waiting() == 7);
  }
  for (int scans = 0; scans < 2; ++scans) scanner.tracer->begin_scan();  // none of them looks
  scanner.sweep(gone, loader::Pace::kWhole);
  CHECK(scanner.waiting() == 0);
  CHECK(gone.empty());
}

TEST_CASE("a socket that is connected again keeps its owner while its first bucket lives") {
  if (!privileged()) return;
  constexpr std::uint16_t kPort = 5037;
  Arena arena(Sysctls{});
  Scanner scanner(arena.netns, GENERATE(true, false));
  scanner.scan();
  inside_netns(arena.netns.fd(), [&] {
    const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(kPort);
    REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(listener.get(), 1) == 0);
    connect_and_shut_down(fd, listener, kPort);  // the other end is closed at once
    wait_for_state(fd, TCP_CLOSE);
    disconnect(fd);
    const base::UniqueFd peer = connect_and_shut_down(fd, listener, kPort);  // the bucket has the same cookie

    for (int scans = 0; scans < 3; ++scans) scanner.scan();
    CHECK(scanner.credited() == 1);
    std::vector<loader::SweptBucket> gone;
    scanner.sweep(gone, loader::Pace::kWhole);
    CHECK(scanner.waiting() == 1);
    CHECK(gone.empty());
  });
}
