// SPDX-License-Identifier: Apache-2.0
// An owner with many ports takes a bounded number of rows, and leaves room for the others.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"
#include "support/chosen_backend.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"
#include "trace/translate.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::uint16_t kFirst = 3000;
constexpr std::uint16_t kLate = 22000;

loader::Tracer open_tracer(std::uint32_t rows) {
  const auto features = loader::probe_features("", {});
  REQUIRE(features);
  loader::TracerOptions options;
  options.backend = chosen_backend();
  options.sizes.rows = rows;
  auto tracer = loader::Tracer::open(*features, options);
  INFO((tracer ? std::string() : tracer.error().what));
  REQUIRE(tracer);
  return std::move(*tracer);
}

/// Connects to `count` ports, starting with `first`. The clients close first.
void sweep(std::uint16_t first, int count) {
  for (int i = 0; i < count; ++i) {
    const auto port = static_cast<std::uint16_t>(first + i);
    const base::UniqueFd listener = listen_on(port);
    TcpPair pair = make_pair(listener.get(), port);
    close_first(pair.client, pair.server);
  }
}

using Counts = std::map<std::pair<int, int>, std::uint64_t>;

/// The number of buckets in the rows of a namespace, by role and port.
Counts counts_of(loader::Tracer& tracer, int netns) {
  const std::uint32_t inum = netns_facts(netns).inum;
  Counts counts;
  for (const tw_row& row : tracer.rows()) {
    if (!loader::is_published(row) || tracer.netns_at(row.key.netns).inum != inum) continue;
    CHECK(counts.try_emplace({row.key.role, row.key.port}, trace::to_counters(row.counts).created()).second);
  }
  return counts;
}

/// What a client of this many ports must have, starting with kFirst.
Counts client_of(int ports) {
  Counts counts;
  for (int i = 0; i < std::min(ports, TW_MAX_PORTS); ++i) counts[{TW_ROLE_CLIENT, kFirst + i}] = 1;
  if (ports > TW_MAX_PORTS) {
    counts[{TW_ROLE_CLIENT, TW_PORT_MANY}] = static_cast<std::uint64_t>(ports - TW_MAX_PORTS);
  }
  return counts;
}

}  // namespace

TEST_CASE("one owner's many ports are one row, and who comes later has a row too", "[capacity]") {
  if (!privileged()) return;
  constexpr int kPorts = 3001;
  auto tracer = open_tracer(2048);
  const base::UniqueFd netns = new_netns();
  tracer.set_enabled(true);
  inside_netns(netns.get(), [] {
    sweep(kFirst, kPorts);
    const base::UniqueFd listener = listen_on(kLate);
    TcpPair pair = make_pair(listener.get(), kLate);
    close_first(pair.server, pair.client);  // another role, so another owner
    sweep(kFirst + 1, 1);                   // has its row
  });
  tracer.set_enabled(false);
  Counts expected = client_of(kPorts);
  expected[{TW_ROLE_SERVER, kLate}] = 1;
  expected[{TW_ROLE_CLIENT, kFirst + 1}] = 2;
  CHECK(counts_of(tracer, netns.get()) == expected);
  CHECK(tracer.stats().rows_full == 0);
  for (const tw_row& row : tracer.rows()) {
    if (!loader::is_published(row) || row.key.port != TW_PORT_MANY) continue;
    if (tracer.netns_at(row.key.netns).inum == netns_facts(netns.get()).inum) {
      CHECK(tracer.ports_of(row) == kPorts - TW_MAX_PORTS);
    }
  }
}

TEST_CASE("up to 64 ports of an owner have rows of their own, and again when the rows are given back", "[capacity]") {
  if (!privileged()) return;
  auto tracer = open_tracer(2048);
  const base::UniqueFd netns = new_netns();
  for (const int ports : {TW_MAX_PORTS, TW_MAX_PORTS + 1, TW_MAX_PORTS}) {
    tracer.set_enabled(true);
    inside_netns(netns.get(), [ports] { sweep(kFirst, ports); });
    tracer.set_enabled(false);
    CHECK(counts_of(tracer, netns.get()) == client_of(ports));
    for (std::uint32_t id = 1; id < tracer.rows().size(); ++id) {
      if (tracer.row_at(id) == nullptr) continue;
      CHECK(tracer.unlink_row(id));
      tracer.free_row(id);
    }
  }
}

TEST_CASE("how many ports share a row is known for the next owner, too, when the row is given back", "[capacity]") {
  if (!privileged()) return;
  auto tracer = open_tracer(4096);
  for (int owner = 0; owner < TW_MAX_MANY + 1; ++owner) {
    const base::UniqueFd netns = new_netns();
    tracer.set_enabled(true);
    inside_netns(netns.get(), [] { sweep(kFirst, TW_MAX_PORTS + 7); });
    tracer.set_enabled(false);
    const std::uint32_t inum = netns_facts(netns.get()).inum;
    int many = 0;
    for (std::uint32_t id = 1; id < tracer.rows().size(); ++id) {
      const tw_row* row = tracer.row_at(id);
      if (row == nullptr || row->key.port != TW_PORT_MANY || tracer.netns_at(row->key.netns).inum != inum) continue;
      CHECK(tracer.ports_of(*row) == 7U);
      CHECK(tracer.unlink_row(id));
      tracer.free_row(id);
      ++many;
    }
    CHECK(many == 1);
  }
}
