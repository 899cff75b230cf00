// SPDX-License-Identifier: Apache-2.0
// Where the tables are large, a count of ports takes several samples.
#include <chrono>
#include <cstdint>
#include <map>
#include <thread>

#include "bpf/readers.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"
#include "trace/port_count.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

/// How many ports are taken towards each port of the namespace's own addresses.
std::map<std::uint16_t, std::uint64_t> taken_in(int netns, const trace::PortCount& count) {
  const std::uint32_t inum = netns_facts(netns).inum;
  std::map<std::uint16_t, std::uint64_t> taken;
  REQUIRE(count.uses());
  for (const model::PortUse& use : *count.uses()) {
    if (use.netns == inum && use.destination.port) taken[*use.destination.port] = use.ports.taken;
  }
  return taken;
}

/// Counts part by part. Reads the same tables between two parts, as a scan does. Returns the number of parts.
int count_in_parts(trace::PortCount& count, loader::Readers& readers, bool complete_at_once) {
  const trace::NamespaceDirectory directory;
  for (int parts = 0;;) {
    const auto namespaces = readers.namespaces().read(false);
    REQUIRE(namespaces);
    REQUIRE(readers.table().read(*namespaces, TW_READ_BUCKETS, [](const tw_socket_reading&) {}));
    const std::uint64_t before = readers.runs().count;
    const auto complete = count.advance(readers, directory, complete_at_once && parts != 0);
    REQUIRE(complete);
    if (readers.runs().count != before) ++parts;
    if (*complete) return parts;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

TEST_CASE("a count of ports in parts is exact, beside a scan of the same tables") {
  if (!privileged()) return;
  auto readers = open_readers(100'000);
  const base::UniqueFd netns = new_netns();
  leave_buckets_in(netns.get(), 5001, 1500);
  trace::PortCount count(100, 0);
  CHECK(count_in_parts(count, readers, false) == 1);  // so that the first picture has it
  CHECK(taken_in(netns.get(), count) == std::map<std::uint16_t, std::uint64_t>{{5001, 1500}});

  leave_buckets_in(netns.get(), 5002, 500);
  CHECK(count_in_parts(count, readers, false) > 2);
  CHECK(taken_in(netns.get(), count) == std::map<std::uint16_t, std::uint64_t>{{5001, 1500}, {5002, 500}});

  leave_buckets_in(netns.get(), 5003, 7);
  CHECK(count_in_parts(count, readers, true) == 2);  // the last sample completes what is in progress
  CHECK(taken_in(netns.get(), count) == std::map<std::uint16_t, std::uint64_t>{{5001, 1500}, {5002, 500}, {5003, 7}});
}
