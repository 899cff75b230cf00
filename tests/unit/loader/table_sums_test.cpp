// SPDX-License-Identifier: Apache-2.0
#include "loader/table_sums.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "support/catch.hpp"

using namespace twtrace::loader;

namespace {

tw_socket_reading reading(unsigned what, std::uint8_t local, std::uint16_t local_port, std::uint8_t remote,
                          std::uint16_t remote_port, std::uint64_t netns = 1) {
  tw_socket_reading result{};
  result.netns_id = netns;
  result.local_address[0] = local;
  result.remote_address[0] = remote;
  result.local_port = local_port;
  result.remote_port = remote_port;
  result.family = TW_FAMILY_IPV4;
  result.what = static_cast<__u8>(what);
  return result;
}

using Row = std::tuple<std::uint64_t, unsigned, unsigned, unsigned, std::size_t>;

/// Namespace, role, port, first byte of the remote address, count.
std::vector<Row> sorted_rows(const OlderTally& tally) {
  std::vector<Row> rows;
  for (const OlderBuckets& row : tally.rows()) {
    CHECK(row.remote.port == (row.role == TW_ROLE_CLIENT ? row.port : 0));
    rows.emplace_back(row.remote.netns_id, row.role, row.port, row.remote.address[0], row.count);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

bool nobody_listens(std::uint64_t /*netns_id*/, std::uint16_t /*port*/) { return false; }

}  // namespace

TEST_CASE("ports are taken per pair of addresses and remote port") {
  PortTally tally;
  for (std::uint16_t port = 100; port < 107; ++port) tally.add(reading(TW_READ_PORTS, 1, port, 9, 80));
  for (std::uint16_t port = 100; port < 103; ++port) tally.add(reading(TW_READ_PORTS, 2, port, 9, 80));
  for (std::uint16_t port = 100; port < 105; ++port) tally.add(reading(TW_READ_PORTS, 1, port, 9, 443));
  tally.add(reading(TW_READ_PORTS, 1, 100, 9, 80, 2));
  tally.add(reading(TW_READ_BUCKETS | TW_READ_FIXED, 1, 99, 9, 80));
  const auto fullest = tally.fullest(2);
  REQUIRE(fullest.size() == 2);
  CHECK(fullest[0].taken == 7);  // not 10: each local address has all ports
  CHECK(fullest[0].remote.port == 80);
  CHECK(fullest[0].remote.netns_id == 1);
  CHECK(fullest[1].taken == 5);
  CHECK(fullest[1].remote.port == 443);
  CHECK(tally.fullest(10).size() == 3);
  CHECK(PortTally().fullest(1).empty());
}

TEST_CASE("a port that bind() took is taken for every destination of its namespace") {
  const auto of = [](unsigned what, std::uint16_t local_port, std::uint16_t remote_port, unsigned role,
                     std::uint64_t netns = 1) {
    tw_socket_reading result = reading(what, 1, local_port, 9, remote_port, netns);
    result.role = static_cast<__u8>(role);
    return result;
  };
  PortTally tally;
  for (std::uint16_t port = 100; port < 103; ++port) tally.add(of(TW_READ_PORTS, port, 80, TW_ROLE_CLIENT));
  for (std::uint16_t port = 200; port < 205; ++port) {  // live or a bucket that nobody knows
    tally.add(of(TW_READ_PORTS | TW_READ_BOUND, port, 443, port % 2 == 0 ? TW_ROLE_CLIENT : 0));
  }
  tally.add(of(TW_READ_PORTS | TW_READ_BOUND, 200, 80, TW_ROLE_CLIENT));  // the same port again: SO_REUSEADDR
  for (std::uint16_t port = 50; port < 57; ++port) tally.add(of(TW_READ_OUTSIDE, port, 443, TW_ROLE_CLIENT));
  for (std::uint16_t client = 1; client < 9; ++client) {  // of a server that listens on one of these ports
    tally.add(of(TW_READ_PORTS | TW_READ_BOUND, 300, client, TW_ROLE_SERVER));
  }
  tally.add(of(TW_READ_PORTS, 100, 80, TW_ROLE_CLIENT, 2));
  const auto fullest = tally.fullest(10);
  REQUIRE(fullest.size() == 3);
  CHECK(fullest[1].remote.port == 443);
  CHECK(fullest[1].taken == 6);
  CHECK(fullest[1].bound == 6);
  CHECK(fullest[1].bound_to == 5);
  CHECK(fullest[1].outside == 7);
  CHECK(fullest[0].remote.port == 80);
  CHECK(fullest[0].taken == 9);
  CHECK(fullest[0].bound == 6);
  CHECK(fullest[0].bound_to == 1);
  CHECK(fullest[0].outside == 0);
  CHECK(fullest[2].taken == 1);
  CHECK(fullest[2].bound == 0);
}

TEST_CASE("ports that somebody has are taken, whether or not there is a peer") {
  const auto bind = [](std::uint16_t port, bool chosen, std::uint64_t netns = 1) {
    tw_bind_reading reading{};
    reading.netns_id = netns;
    reading.port = port;
    reading.chosen = chosen ? 1 : 0;
    return reading;
  };
  PortTally tally;
  CHECK(tally.pools().empty());
  tally.add(reading(TW_READ_PORTS, 1, 100, 9, 80));
  tally.add(bind(100, true));
  for (std::uint16_t port = 200; port < 205; ++port) {
    tally.add(bind(port, false));
    tally.add(bind(port, false));  // read twice
  }
  tally.add(bind(7, false, 2));
  REQUIRE(tally.fullest(9).size() == 1);
  CHECK(tally.fullest(9)[0].taken == 6);
  CHECK(tally.fullest(9)[0].bound == 5);
  CHECK(tally.fullest(9)[0].bound_to == 0);
  auto pools = tally.pools();
  REQUIRE(pools.size() == 2);
  if (pools[0].netns_id != 1) std::swap(pools[0], pools[1]);
  CHECK(pools[0].taken == 6);
  CHECK(pools[0].bound == 5);
  CHECK(pools[1].taken == 1);
  CHECK(pools[1].bound == 1);
}

TEST_CASE("of destinations with as many ports taken, the one with most connections comes first") {
  PortTally tally;
  for (std::uint16_t port = 200; port < 209; ++port) {
    tally.add(reading(TW_READ_PORTS | TW_READ_BOUND, 1, port, 9, port < 206 ? 443 : port));
  }
  REQUIRE(tally.fullest(1).size() == 1);
  CHECK(tally.fullest(1)[0].remote.port == 443);
  CHECK(tally.fullest(9)[3].taken == 9);
}

TEST_CASE("a range that clients have of their own is counted for each destination, buckets included") {
  constexpr std::uint32_t kRange = 110U << 16U | 101U;
  constexpr std::uint64_t kMinute = OwnRanges::kRememberedNs;
  OwnRanges own;
  const auto pass = [&own](std::uint64_t now_ns, bool with_sockets) {
    own.begin(now_ns);
    PortTally tally(&own);
    for (std::uint16_t port = 90; port < 109; ++port) {  // 101 to 108 are of the range
      tw_socket_reading taken = reading(TW_READ_PORTS, 1, port, 9, 80);
      if (with_sockets && port == 105) taken.own_ports = kRange;
      tally.add(taken);
    }
    tally.add(reading(TW_READ_PORTS | TW_READ_BOUND, 1, 110, 9, 443));
    tally.add(reading(TW_READ_PORTS | TW_READ_BOUND, 1, 111, 9, 443));
    tally.add(reading(TW_READ_PORTS, 2, 101, 9, 80));   // from another address
    tally.add(reading(TW_READ_PORTS, 1, 101, 9, 443));  // to another port
    return tally.own_ranges();
  };
  CHECK(pass(1, true).empty());  // what came before the socket that shows the range was not counted
  for (const std::uint64_t now : {2U, 3U}) {
    const auto ranges = pass(now, now == 2);
    REQUIRE(ranges.size() == 1);
    CHECK(ranges[0].remote.port == 80);
    CHECK(ranges[0].first == 101);
    CHECK(ranges[0].last == 110);
    CHECK(ranges[0].taken == 8 + 1);
    CHECK(ranges[0].bound == 1);
  }
  CHECK(pass(2 + kMinute, false).size() == 1);
  CHECK(pass(3 + kMinute, false).empty());
  CHECK(PortTally().own_ranges().empty());
}

TEST_CASE("an end of an own range that is not set is that of all ports, and there are not too many of them") {
  OwnRanges own;
  for (const std::uint64_t now : {1U, 2U}) {
    own.begin(now);
    PortTally tally(&own);
    tw_socket_reading taken = reading(TW_READ_PORTS, 1, 101, 9, 80);
    taken.own_ports = 101;
    tally.add(taken);
    taken.own_ports = 300U << 16U;
    tally.add(taken);
    for (std::uint16_t port = 1; now == 1 && port < 2 * OwnRanges::kMost; ++port) {
      taken.remote_port = port;
      tally.add(taken);
    }
    if (now == 1) continue;
    auto ranges = tally.own_ranges();
    CHECK(ranges.size() == OwnRanges::kMost);
    std::erase_if(ranges, [](const OwnRange& range) { return range.remote.port != 80; });
    REQUIRE(ranges.size() == 2);
    CHECK(ranges[0].first == 101);
    CHECK(ranges[0].last == 65535);
    CHECK(ranges[1].first == 0);
    CHECK(ranges[1].last == 300);
    CHECK(ranges[1].taken == 2);
  }
}

TEST_CASE("buckets from before are told by namespace, role, port and remote end") {
  OlderTally tally;
  tally.begin();
  const auto listens = [](std::uint64_t netns, std::uint16_t port) { return netns == 1 && port == 40000; };
  for (std::uint16_t port = 1; port <= 5; ++port) {
    tally.add(reading(TW_READ_BUCKETS | TW_READ_FIXED, 1, 80, 7, static_cast<std::uint16_t>(50000 + port)), listens);
    tally.add(reading(TW_READ_BUCKETS | TW_READ_CHOSEN, 1, static_cast<std::uint16_t>(33000 + port), 9, 6379), listens);
  }
  tally.add(reading(TW_READ_BUCKETS | TW_READ_FIXED, 1, 80, 8, 50000), listens);
  tally.add(reading(TW_READ_BUCKETS, 1, 40000, 7, 50001), listens);     // something listens there
  tally.add(reading(TW_READ_BUCKETS, 1, 40000, 7, 50001, 2), listens);  // nothing listens there
  tally.add(reading(TW_READ_PORTS, 1, 33000, 9, 6379), listens);        // not a bucket
  tally.end(true);
  CHECK(sorted_rows(tally) == std::vector<Row>{{1, TW_ROLE_SERVER, 80, 7, 5},
                                               {1, TW_ROLE_SERVER, 80, 8, 1},
                                               {1, TW_ROLE_SERVER, 40000, 7, 1},
                                               {1, TW_ROLE_CLIENT, 6379, 9, 5},
                                               {2, TW_ROLE_CLIENT, 50001, 7, 1}});
}

TEST_CASE("where nobody listens any more, the port that connections have in common is the server's") {
  OlderTally tally;
  tally.begin();
  for (std::uint16_t port = 1; port <= 5; ++port) {
    tally.add(reading(TW_READ_BUCKETS, 1, 45000, 7, static_cast<std::uint16_t>(50000 + port)), nobody_listens);
    // Clients that call bind(), and one that connect() gave the port of another destination.
    tally.add(reading(TW_READ_BUCKETS, 1, static_cast<std::uint16_t>(33000 + port), 9, 6379), nobody_listens);
    tally.add(reading(TW_READ_BUCKETS | TW_READ_CHOSEN, 1, 46000, 9, port), nobody_listens);
  }
  // Two hosts may choose the same port.
  for (std::uint8_t host = 1; host <= 3; ++host)
    tally.add(reading(TW_READ_BUCKETS, 1, 45001, host, 50001), nobody_listens);
  tally.add(reading(TW_READ_BUCKETS, 1, 45000, 7, 50001, 2), nobody_listens);  // alone
  // Clients of two addresses may bind the same ports.
  for (std::uint16_t port = 1; port <= 5; ++port) {
    for (std::uint8_t own = 1; own <= 2; ++own) {
      tally.add(reading(TW_READ_BUCKETS, own, static_cast<std::uint16_t>(34000 + port), 9, 6380), nobody_listens);
    }
  }
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    tally.add(reading(TW_READ_BUCKETS, 1, 45002, 7, static_cast<std::uint16_t>(50000 + port)), nobody_listens);
  }
  tally.end(true);
  std::vector<Row> expected = {{1, TW_ROLE_SERVER, 45000, 7, 5}, {1, TW_ROLE_SERVER, 45001, 1, 1},
                               {1, TW_ROLE_SERVER, 45001, 2, 1}, {1, TW_ROLE_SERVER, 45001, 3, 1},
                               {1, TW_ROLE_CLIENT, 6379, 9, 5},  {2, TW_ROLE_CLIENT, 50001, 7, 1},
                               {1, TW_ROLE_CLIENT, 6380, 9, 10}, {1, TW_ROLE_SERVER, 45002, 7, 1000}};
  for (unsigned port = 1; port <= 5; ++port) expected.emplace_back(1, TW_ROLE_CLIENT, port, 9, 1);
  std::sort(expected.begin(), expected.end());
  CHECK(sorted_rows(tally) == expected);
}

TEST_CASE("buckets from before that have gone are told once, by the first complete pass without them") {
  OlderTally tally;
  const auto gone = [&tally](std::vector<std::uint16_t> ports, bool complete = true) {
    tally.begin();
    for (const std::uint16_t port : ports) tally.add(reading(TW_READ_BUCKETS, 1, port, 9, 80), nobody_listens);
    std::vector<std::uint16_t> local_ports;
    for (const tw_socket_reading& connection : tally.end(complete)) local_ports.push_back(connection.local_port);
    std::sort(local_ports.begin(), local_ports.end());
    return local_ports;
  };
  using Ports = std::vector<std::uint16_t>;
  CHECK(gone({1, 2, 3, 4}) == Ports{});
  CHECK(gone({1}, false) == Ports{});  // the others may have been overlooked
  CHECK(gone({1, 3, 5}) == Ports{2, 4});
  CHECK(gone({1, 3}) == Ports{});  // 5 was not there before
  CHECK(gone({}) == Ports{1, 3});
  CHECK(gone({}) == Ports{});
}

TEST_CASE("what comes later was not there before, and what is gone does not come back") {
  OlderTally tally;
  const auto pass = [&tally](std::vector<std::uint16_t> ports, bool complete = true) {
    tally.begin();
    for (const std::uint16_t port : ports) tally.add(reading(TW_READ_BUCKETS, 1, port, 9, 80), nobody_listens);
    tally.end(complete);
    std::size_t older = 0;
    for (const OlderBuckets& row : tally.rows()) older += row.count;
    return older;
  };
  CHECK(pass({1, 2, 3}) == 3);
  CHECK(pass({1, 2, 3, 4}) == 3);
  CHECK(pass({1, 4}, false) == 1);  // the others may have been overlooked
  CHECK(pass({1, 2}) == 2);
  CHECK(pass({1, 3}) == 1);
  CHECK(pass({}) == 0);
  CHECK(pass({1}) == 0);
}
