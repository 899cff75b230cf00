// SPDX-License-Identifier: Apache-2.0
#include "trace/before_start.hpp"

#include <map>
#include <string>
#include <tuple>

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

constexpr std::uint64_t kNetns = 77;

loader::OlderBuckets buckets(std::uint8_t role, std::uint16_t port, std::size_t count, std::uint8_t family = 4,
                             std::uint8_t remote = 1) {
  loader::OlderBuckets result;
  result.remote.netns_id = kNetns;
  result.remote.address[0] = remote;
  result.remote.family = family;
  result.role = role;
  result.port = port;
  result.count = count;
  return result;
}

tw_listener_reading listener(std::uint16_t port, std::uint64_t cgroup) {
  tw_listener_reading result{};
  result.netns_id = kNetns;
  result.port = port;
  result.cgroup_id = cgroup;
  return result;
}

base::Service service(const std::string& name) {
  base::Service result;
  result.kind = "systemd";
  result.name = name;
  result.cgroup = "/system.slice/" + name;
  return result;
}

void add_client(model::RowTable& rows, std::uint32_t slot, std::uint16_t port, const std::string& name) {
  model::Identity who;
  who.netns = 5;
  who.pid = slot;
  who.port = port;
  who.service = service(name);
  rows.add(slot, slot, who);
}

const BeforeStartNames kNames = {
    [](std::uint64_t id) { return id == kNetns ? std::optional<std::uint32_t>(5) : std::nullopt; },
    [](std::uint64_t cgroup) { return service("s" + std::to_string(cgroup)); }};

}  // namespace

TEST_CASE("buckets from before the start have the service of who listens or connects there now") {
  const std::vector<tw_listener_reading> listening = {listener(80, 7), listener(443, 7), listener(443, 8)};
  model::RowTable rows(10);
  add_client(rows, 1, 6379, "worker");
  add_client(rows, 2, 6379, "worker");
  add_client(rows, 3, 5432, "worker");
  add_client(rows, 4, 5432, "batch");
  const auto entries = before_start({buckets(TW_ROLE_SERVER, 80, 7), buckets(TW_ROLE_SERVER, 80, 4, 4, 2),
                                     buckets(TW_ROLE_SERVER, 80, 3, 6), buckets(TW_ROLE_SERVER, 443, 2),
                                     buckets(TW_ROLE_CLIENT, 6379, 5), buckets(TW_ROLE_CLIENT, 5432, 9)},
                                    Listeners(listening), rows, kNames)
                           .rows;
  std::map<std::tuple<model::Role, int, bool>, std::pair<std::uint64_t, std::string>> found;
  for (const model::Entry& entry : entries) {
    const model::Identity& who = entry.identity;
    CHECK(who.netns == 5);
    CHECK_FALSE(who.pid);
    CHECK(who.attribution == model::Attribution::kNone);
    CHECK(entry.counts == model::Counters{});
    found[{who.role, who.port, who.ipv6}] = {entry.live.value_or(0), who.service.name};
  }
  using model::Role;
  CHECK(found == decltype(found){{{Role::kServer, 80, false}, {11, "s7"}},
                                 {{Role::kServer, 80, true}, {3, "s7"}},
                                 {{Role::kServer, 443, false}, {2, ""}},  // two services listen there
                                 {{Role::kClient, 6379, false}, {5, "worker"}},
                                 {{Role::kClient, 5432, false}, {9, ""}}});  // two connect there
}

TEST_CASE("beyond 64 ports the small ones share one row") {
  std::vector<loader::OlderBuckets> older{buckets(TW_ROLE_CLIENT, 8080, 500)};
  for (std::uint16_t port = 1; port < TW_MAX_PORTS; ++port) older.push_back(buckets(TW_ROLE_CLIENT, port, 1));
  CHECK(before_start(older, {}, model::RowTable(1), kNames).rows.size() == TW_MAX_PORTS);
  older.push_back(buckets(TW_ROLE_CLIENT, 9000, 1));
  model::RowTable rows(1);
  add_client(rows, 1, TW_PORT_MANY, "worker");
  add_client(rows, 2, 9000, "batch");
  const auto entries = before_start(older, {}, rows, kNames).rows;
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].identity.port == TW_PORT_MANY);
  CHECK(entries[0].identity.service.name == "worker");
  CHECK(entries[1].identity.service.name.empty());
  CHECK(entries[0].live == static_cast<std::uint64_t>(TW_MAX_PORTS));
  CHECK(entries[1].identity.port == 8080);
  CHECK(entries[1].live == 500U);
}

TEST_CASE("buckets from before the start have remote ends, of which the small ones are left out beyond 64") {
  std::vector<loader::OlderBuckets> older{buckets(TW_ROLE_SERVER, 80, 500, TW_FAMILY_IPV4, 200),
                                          buckets(TW_ROLE_CLIENT, 6379, 3, TW_FAMILY_IPV4, 9)};
  for (std::uint8_t remote = 1; remote < TW_MAX_PORTS; ++remote) {
    older.push_back(buckets(TW_ROLE_SERVER, 80, 1, TW_FAMILY_IPV4, remote));
  }
  const auto few = before_start(older, {}, model::RowTable(1), kNames);
  CHECK(few.peers.size() == TW_MAX_PORTS + 1);
  older.push_back(buckets(TW_ROLE_SERVER, 80, 1, TW_FAMILY_IPV4, 100));
  const auto many = before_start(older, {}, model::RowTable(1), kNames);
  std::map<model::Identity, std::uint64_t> rows;
  for (const model::Entry& row : many.rows) rows[row.identity] = row.live.value();
  std::map<std::tuple<std::string, std::optional<std::uint16_t>, std::uint64_t>, std::uint64_t> peers;
  for (const auto& [key, live] : many.peers) peers[{key.peer.address, key.peer.port, rows.at(key.identity)}] = live;
  CHECK(peers == decltype(peers){{{"9.0.0.0", std::uint16_t{6379}, 3}, 3},
                                 {{"200.0.0.0", std::nullopt, 500 + TW_MAX_PORTS}, 500}});
}

TEST_CASE("buckets of a namespace that nobody knows are left out") {
  auto elsewhere = buckets(TW_ROLE_SERVER, 80, 7);
  elsewhere.remote.netns_id = 1;
  CHECK(before_start({elsewhere}, {}, model::RowTable(1), kNames).rows.empty());
}

TEST_CASE("a port is listened on in one namespace only") {
  const std::vector<tw_listener_reading> listening = {listener(80, 7)};
  const Listeners listeners(listening);
  CHECK(listeners.has(kNetns, 80));
  CHECK_FALSE(listeners.has(kNetns, 81));
  CHECK_FALSE(listeners.has(kNetns + 1, 80));
  CHECK(listeners.cgroup(kNetns, 80) == 7U);
  CHECK_FALSE(listeners.cgroup(kNetns, 81));
}
