// SPDX-License-Identifier: Apache-2.0
#include "kernel/counters.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;

namespace {

const std::string kNetstat =
    "TcpExt: SyncookiesSent TW TWRecycled TWKilled ListenOverflows ListenDrops TCPTimeWaitOverflow TCPRcvQDrop\n"
    "TcpExt: 9 11 12 13 14 15 18446744073709551615 8\n"
    "IpExt: InNoRoutes TW\n"
    "IpExt: 1 99\n";
const std::string kSockstat = "sockets: used 290\nTCP: inuse 5 orphan 0 tw 12 alloc 9 mem 1\nUDP: inuse 2 mem 0\n";
const TcpExt kExt{.tw = 11,
                  .tw_killed = 13,
                  .tw_recycled = 12,
                  .time_wait_overflow = 18446744073709551615U,
                  .listen_overflows = 14,
                  .listen_drops = 15};

NetnsRef ref(std::uint32_t inum, std::optional<std::uint32_t> pid) { return {inum, "", pid, ""}; }

}  // namespace

TEST_CASE("netstat columns are found by name") {
  CHECK(parse_netstat(kNetstat).value() == kExt);
  CHECK(parse_netstat("IpExt: TW\nIpExt: 5\n" + kNetstat).value() == kExt);
}

TEST_CASE("a missing or broken column is named") {
  for (const char* column : {"TW", "TWKilled", "TWRecycled", "TCPTimeWaitOverflow", "ListenOverflows", "ListenDrops"}) {
    std::string text = kNetstat;
    text.replace(text.find(" " + std::string(column) + " ") + 1, std::string(column).size(), "Other");
    const auto ext = parse_netstat(text);
    REQUIRE_FALSE(ext);
    CHECK(ext.error().code == ErrorCode::kInvalid);
    CHECK(ext.error().what == "the kernel shows no counter TcpExt" + std::string(column));
  }
  CHECK_FALSE(parse_netstat(""));
  CHECK_FALSE(parse_netstat("TcpExt: TW\n"));
  CHECK_FALSE(parse_netstat("TcpExt: TW\nIpExt: 1\n"));
  const std::size_t values = kNetstat.find("TcpExt: 9");
  CHECK_FALSE(parse_netstat(kNetstat.substr(0, values) + "TcpExt: 9 11 12 13 14 15\n"));
  CHECK_FALSE(parse_netstat(kNetstat.substr(0, values) + "TcpExt: 9 -11 12 13 14 15 16 17\n"));
}

TEST_CASE("sockstat gives the buckets of the TCP line") {
  CHECK(parse_sockstat(kSockstat).value() == 12);
  CHECK(parse_sockstat("UDP: tw 3\nTCP: tw 0\n").value() == 0);
  CHECK_FALSE(parse_sockstat(""));
  CHECK_FALSE(parse_sockstat("TCP: inuse 5\n"));
  CHECK_FALSE(parse_sockstat("TCP: inuse 5 tw\n"));
  CHECK_FALSE(parse_sockstat("UDP: tw 3\n"));
}

TEST_CASE("counters through a process that is in the namespace") {
  const TempTree tree;
  const Procfs procfs(tree.root());
  tree.link("7/ns/net", "net:[200]");
  tree.file("7/net/netstat", kNetstat);
  tree.file("7/net/sockstat", kSockstat);
  tree.link("thread-self/ns/net", "net:[201]");
  tree.file("sys/net/ipv4/tcp_max_tw_buckets", "5000\n");  // of our own namespace
  CHECK(read_counters(procfs, ref(200, 7)).value() == NetnsCounters{kExt, {}, 12, {}});
}

TEST_CASE("the limit is known of our own namespace") {
  const TempTree tree;
  const Procfs procfs(tree.root());
  for (const char* process : {"7", "thread-self"}) tree.link(std::string(process) + "/ns/net", "net:[200]");
  tree.file("7/net/netstat", kNetstat);
  tree.file("7/net/sockstat", kSockstat);
  CHECK(read_counters(procfs, ref(200, 7)).value() == NetnsCounters{kExt, {}, 12, {}});
  tree.file("sys/net/ipv4/tcp_max_tw_buckets", "5000\n");
  CHECK(read_counters(procfs, ref(200, 7)).value() == NetnsCounters{kExt, {}, 12, 5000});
  tree.file("sys/net/ipv4/tcp_max_tw_buckets", "-1\n");
  CHECK(read_counters(procfs, ref(200, 7)).value() == NetnsCounters{kExt, {}, 12, {}});
}

TEST_CASE("a namespace that is gone is not found, and no other is taken for it") {
  const TempTree tree;
  const Procfs procfs(tree.root());
  tree.file("7/net/netstat", kNetstat);
  tree.file("7/net/sockstat", kSockstat);
  tree.link("7/ns/net", "net:[201]");  // the pid was reused, or its process moved
  CHECK(read_counters(procfs, ref(200, 7)).error().code == ErrorCode::kNotFound);
  CHECK(read_counters(procfs, ref(200, 8)).error().code == ErrorCode::kNotFound);  // the process has ended
  CHECK(read_counters(procfs, ref(200, std::nullopt)).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a kernel that lacks a counter is told apart from a namespace that is gone") {
  const TempTree tree;
  tree.link("7/ns/net", "net:[200]");
  tree.file("7/net/netstat", "TcpExt: TW\nTcpExt: 1\n");
  tree.file("7/net/sockstat", kSockstat);
  CHECK(read_counters(Procfs(tree.root()), ref(200, 7)).error().code == ErrorCode::kInvalid);
}

TEST_CASE("the running kernel's counters can be read") {
  struct stat status {};
  REQUIRE(::stat("/proc/self/ns/net", &status) == 0);
  const auto counters =
      read_counters(Procfs(), ref(static_cast<std::uint32_t>(status.st_ino), static_cast<std::uint32_t>(::getpid())));
  REQUIRE(counters);
  CHECK(counters->limit.value_or(1) > 0);
}
