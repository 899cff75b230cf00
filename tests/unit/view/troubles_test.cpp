// SPDX-License-Identifier: Apache-2.0
#include "view/troubles.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/services.hpp"
#include "support/tables.hpp"

using namespace twtrace;
using model::Trouble;

namespace {

constexpr std::uint32_t kHost = 4026531840U;
constexpr std::uint32_t kWeb = 4026532001U;

model::NetnsRow netns_row(std::uint32_t id, std::uint32_t inum, const char* name, std::uint64_t in_use,
                          std::uint64_t limit) {
  model::NetnsRow row;
  row.id = id;
  row.netns = inum;
  row.name = name;
  row.in_use = in_use;
  row.limit = limit;
  return row;
}

/// Two namespaces in one-second intervals.
struct Scene : test::Tables {
  Scene() {
    namespaces = {{1, kHost, "host", {}, {}}, {2, kWeb, "web", {}, {}}};
    head.interval_s = 1;
    head.namespaces = {netns_row(1, kHost, "host", 100, 5000), netns_row(2, kWeb, "web", 0, 5000)};
  }

  /// Ends the interval: the namespaces' counts become the sums of the rows'.
  std::vector<Trouble> look(const view::Selector& selector = {}) {
    for (model::NetnsRow& netns : head.namespaces) {
      model::Counters previous = netns.counts;
      netns.counts = {};
      table.for_each([&](const model::Entry& entry, model::RowKind) {
        if (entry.identity.netns == netns.id) netns.counts += entry.counts;
      });
      netns.overflow_per_s = static_cast<double>(netns.counts.overflow() - previous.overflow());
    }
    auto troubles = view::find_troubles(model::CurrentSource(table, peers, namespaces), head, selector);
    table.begin_interval();
    return troubles;
  }

  model::Snapshot head;
};

/// Buckets from before the start in the first namespace.
model::Entry older(model::Role role, std::uint16_t port, std::uint64_t buckets, const std::string& service) {
  model::Entry entry;
  entry.identity.netns = 1;
  entry.identity.role = role;
  entry.identity.port = port;
  entry.identity.attribution = model::Attribution::kNone;
  if (!service.empty()) entry.identity.service = {"systemd", service, "/system.slice/" + service, {}, {}};
  entry.live = buckets;
  return entry;
}

}  // namespace

TEST_CASE("a calm host has no trouble") {
  Scene scene;
  CHECK(scene.look().empty());
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(4999)});
  scene.head.namespaces[0].in_use = 4999;
  CHECK(scene.look().empty());
}

TEST_CASE("who holds the table and who is refused are two facts") {
  Scene scene;
  // The scheduler holds its place with two processes in two roles; the web server is refused.
  scene.act({1, "scheduler", "scheduler.service", model::Role::kServer, 9000, test::made(1500)});
  scene.act({2, "worker", "scheduler.service", model::Role::kClient, 6379, test::made(1000)});
  scene.act({3, "other", "other.service", model::Role::kServer, 22, test::made(2000)});
  scene.act({4, "nginx", "web.service", model::Role::kServer, 80, test::made(500, 0, 27)});
  scene.act({5, "cron", "cron.service", model::Role::kClient, 25, test::made(0, 0, 2, 1)});
  scene.head.namespaces[0].in_use = 5000;
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  const Trouble& full = troubles[0];
  CHECK(full.kind == Trouble::Kind::kFull);
  CHECK(full.netns_name == "host");
  CHECK(full.netns_id == 1);
  REQUIRE(full.use);
  CHECK(full.use->taken == 5000);
  REQUIRE(full.holder);
  CHECK(full.holder->name == "scheduler.service");
  CHECK(full.holder->comm == "scheduler");
  CHECK(full.holder->buckets == 2500);
  CHECK(full.holder->share == Approx(0.5));
  REQUIRE(full.refused);
  CHECK(full.refused->name == "web.service");
  CHECK(full.refused->share == Approx(0.9));
  CHECK(full.refused->per_s == Approx(27));
  CHECK(full.refused_per_s == Approx(30));
}

TEST_CASE("the worst trouble comes first, whichever table is the fullest") {
  Scene scene;
  scene.act({1, "idle", "idle.service", model::Role::kServer, 80, test::made(100)});
  scene.act({2, "busy", "busy.service", model::Role::kServer, 80, test::made(4990, 0, 7), 2});
  scene.head.namespaces[0].in_use = 100;
  scene.head.namespaces[0].limit = 100;
  scene.head.namespaces[1].in_use = 4990;
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 2);
  CHECK(troubles[0].netns_name == "web");
  CHECK(troubles[0].refused->name == "busy.service");
  CHECK(troubles[1].netns_name == "host");
  CHECK(troubles[1].holder->name == "idle.service");
  CHECK_FALSE(troubles[1].refused);
}

TEST_CASE("refusals of the past are the least trouble") {
  Scene scene;
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 3)});
  CHECK(scene.look().at(0).kind == Trouble::Kind::kFull);
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == Trouble::Kind::kRefused);
  CHECK(troubles[0].refused->buckets == 3);
  CHECK(troubles[0].refused->share == Approx(1));
  CHECK_FALSE(troubles[0].holder);
}

TEST_CASE("a namespace that is gone has troubles of the past only") {
  Scene scene;
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 3)});
  scene.look();
  scene.head.namespaces[0].in_use = 5000;
  scene.head.namespaces[0].gone = true;
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == Trouble::Kind::kRefused);
  CHECK_FALSE(troubles[0].holder);
}

TEST_CASE("what was there before start is nobody's, but is somewhere") {
  Scene scene;
  scene.table.set_before_start({older(model::Role::kClient, 6379, 900, ""),
                                older(model::Role::kServer, 80, 4000, "web.service"),
                                older(model::Role::kServer, 22, 90, "ssh.service")});
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 3)});
  scene.head.namespaces[0].in_use = 5000;
  scene.head.namespaces[0].pre_existing = 4990;
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  REQUIRE(troubles[0].holder);
  CHECK(troubles[0].holder->before_start);
  CHECK(troubles[0].holder->buckets == 4990);
  REQUIRE(troubles[0].older);
  CHECK(troubles[0].older->role == model::Role::kServer);
  CHECK(troubles[0].older->port == 80);
  CHECK(troubles[0].older->buckets == 4000);
  CHECK(troubles[0].older->service == "web.service");
}

TEST_CASE("ports that were taken before the start are no client's") {
  Scene scene;
  scene.act({1, "php-fpm", "php.service", model::Role::kClient, 8081, test::made(7)});
  scene.table.set_before_start({older(model::Role::kClient, 8081, 990, "php.service"),
                                older(model::Role::kServer, 8081, 2000, "web.service"),
                                older(model::Role::kClient, 443, 3000, "curl.service")});
  scene.head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{kHost, {"10.0.0.9", std::uint16_t{8081}}, {1000, 1001}, 1}});
  auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK_FALSE(troubles[0].holder);
  REQUIRE(troubles[0].older);
  CHECK(troubles[0].older->buckets == 990);
  CHECK(troubles[0].older->service == "php.service");
  scene.act({1, "php-fpm", "php.service", model::Role::kClient, 8081, test::made(1000)});
  troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK_FALSE(troubles[0].older);
  REQUIRE(troubles[0].holder);
  CHECK(troubles[0].holder->name == "php.service");
}

TEST_CASE("buckets from before the start that are towards other addresses took no port towards this one") {
  Scene scene;
  const model::Entry both = older(model::Role::kClient, 8081, 990, "php.service");
  scene.table.set_before_start({both});
  const model::PeerKey key{both.identity, {"10.0.0.9", std::uint16_t{8081}}};
  model::PeerKey other = key;
  other.peer.address = "10.0.0.8";
  scene.peers.set_before_start({{key, 100}, {other, 890}});
  scene.head.port_use =
      std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{{kHost, key.peer, {100, 100}, 1}});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  REQUIRE(troubles[0].older);
  CHECK(troubles[0].older->buckets == 100);
  CHECK(troubles[0].older->service == "php.service");
}

TEST_CASE("a party is called as rows of all namespaces call it, also in a look at one namespace") {
  Scene scene;
  const auto act = [&](std::uint32_t slot, const std::string& cgroup, std::uint32_t netns) {
    model::Identity identity;
    identity.netns = netns;
    identity.pid = 100 + slot;
    identity.comm = "worker";
    identity.service = {"systemd", "worker.service", cgroup, {}, {}};
    scene.table.add(slot, slot, identity);
    scene.table.set(slot, test::made(10, 0, 3), 10, false);
  };
  act(1, "/a/worker.service", 1);
  scene.head.namespaces.pop_back();
  CHECK(scene.look().at(0).refused->name == "worker.service");
  act(2, "/b/worker.service", 2);
  act(3, "/b/worker.service", 2);
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].refused->name == "a/worker.service");
  CHECK(troubles[0].refused->share == Approx(1));
}

TEST_CASE("processes outside of every service are no service together") {
  Scene scene;
  // Four of the root cgroup and of none: each program for itself, whatever its role.
  scene.act({1, "redis", "", model::Role::kServer, 6379, test::made(10, 0, 5)});
  scene.act({2, "redis", "", model::Role::kClient, 26379, test::made(10, 0, 5)});
  scene.act({3, "nginx", "", model::Role::kServer, 80, test::made(10, 0, 6)});
  scene.act({4, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 4)});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].refused->name == "redis");
  CHECK(troubles[0].refused->share == Approx(0.5));
  scene.act({4, "web", "web.service", model::Role::kServer, 80, test::made(0, 0, 2)});
  scene.act({5, "web", "/", model::Role::kServer, 80, test::made(0, 0, 1)});
  CHECK(scene.look().at(0).refused->name == "web.service");
}

TEST_CASE("what no row took is in the sum, but is no party") {
  Scene scene;
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 1)});
  scene.namespaces[0].unattributed = test::made(0, 0, 3);
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].refused->name == "web.service");
  CHECK(troubles[0].refused->share == Approx(0.25));
}

TEST_CASE("the work grows with the number of namespaces that are in trouble, not with its square") {
  constexpr std::uint32_t kNamespaces = 100'000;
  test::Tables tables;
  tables.namespaces.clear();
  model::Snapshot head;
  head.interval_s = 1;
  for (std::uint32_t id = 1; id <= kNamespaces; ++id) {
    tables.namespaces.push_back({id, kWeb + id, {}, {}, {}});
    model::Counters counts = test::made(1, 0, 3);
    counts.no_port = 2;
    tables.act({id, "nginx", "web.service", model::Role::kClient, 80, counts, id});
    head.namespaces.push_back(netns_row(id, kWeb + id, "", 100, 100));
    head.namespaces.back().counts = counts;
    head.namespaces.back().overflow_per_s = 3;
  }
  const model::CurrentSource source(tables.table, tables.peers, tables.namespaces);
  const auto troubles = view::find_troubles(source, head, {});
  REQUIRE(troubles.size() == std::size_t{2} * kNamespaces);
  CHECK(troubles.front().refused->name == "web.service");
}

TEST_CASE("ports that run out name the client of the destination") {
  Scene scene;
  scene.act({1, "php-fpm", "php-fpm.service", model::Role::kClient, 8081, test::made(1)});
  const model::Identity identity = scene.table.at(1)->identity;
  const model::Peer destination{"10.0.0.9", std::uint16_t{8081}};
  scene.peers.count({model::folded(identity), destination}, model::Event{});
  scene.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{
      {kHost, destination, {1001, 1001}}, {kHost, {"10.0.0.8", std::uint16_t{80}}, {10, 1001}}});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == Trouble::Kind::kPorts);
  CHECK(troubles[0].destination == destination);
  CHECK(troubles[0].use->taken == 1001);
  REQUIRE(troubles[0].holder);
  CHECK(troubles[0].holder->name == "php-fpm.service");
}

TEST_CASE("ports that run out name the client of the port where peers are not known, if it can be nobody else") {
  Scene scene;
  scene.act({1, "php-fpm", "php-fpm.service", model::Role::kClient, 8081, test::made(1)});
  scene.act({2, "nginx", "nginx.service", model::Role::kServer, 8081, test::made(5)});
  scene.act({3, "curl", "cron.service", model::Role::kClient, 443, test::made(5)});
  scene.head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{kHost, {"10.0.0.9", std::uint16_t{8081}}, {1001, 1001}}});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  REQUIRE(troubles[0].holder);
  CHECK(troubles[0].holder->name == "php-fpm.service");
  scene.act({4, "node", "node.service", model::Role::kClient, 8081, test::made(1)});
  CHECK_FALSE(scene.look().at(0).holder);
}

TEST_CASE("ports are those of one namespace, not of another with its inode number") {
  Scene scene;
  scene.head.namespaces[1].netns = kHost;
  model::PortUse use{kHost, {"10.0.0.9", std::uint16_t{8081}}, {1001, 1001}};
  use.netns_id = 2;
  scene.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{use});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].netns_id == 2);
}

TEST_CASE("ports that bind() took for no destination are a trouble of their own, and explain who finds none") {
  Scene scene;
  const auto pool = [&scene](std::uint64_t taken, std::uint64_t bound, std::vector<model::PortUse> others = {}) {
    model::PortUse use{kHost, {}, {taken, 600}};
    use.bound = bound;
    others.push_back(use);
    scene.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::move(others));
  };
  pool(600, 480);  // connect() has chosen the others, which it can choose again
  CHECK(scene.look().empty());
  pool(600, 500);
  auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == Trouble::Kind::kPorts);
  CHECK_FALSE(troubles[0].destination);
  CHECK(troubles[0].use->taken == 500);
  CHECK(troubles[0].use->of == 600);
  pool(600, 500, {{kHost, {"10.0.0.9", std::uint16_t{80}}, {600, 600}}});
  troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].destination == model::Peer{"10.0.0.9", std::uint16_t{80}});
  // Who finds no port: of bind() the whole pool counts, of connect() what bind() took.
  pool(600, 500);
  model::Counters failed;
  failed.no_port = failed.no_port_bind = 7;
  scene.act({1, "node", "node.service", model::Role::kClient, 0, failed});
  scene.head.namespaces[0].counts = failed;
  troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].use->taken == 600);
  failed.no_port = 7;
  failed.no_port_bind = 0;
  scene.act({1, "node", "node.service", model::Role::kClient, 443, failed});
  scene.head.namespaces[0].counts = failed;
  troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].destination);
  CHECK(troubles[0].use->taken == 500);
}

TEST_CASE("only the namespaces that were asked for have troubles, and a filter hides none") {
  Scene scene;
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 3)});
  const auto parsed = [](const char* text) { return *view::parse_selector(text, view::Grammar::kFilter); };
  CHECK(scene.look(parsed("netns=web")).empty());
  scene.act({1, "web", "web.service", model::Role::kServer, 80, test::made(10, 0, 3)});
  CHECK(scene.look(parsed("comm=nobody port=1")).size() == 1);
}

TEST_CASE("connects that find no port are a trouble, also where no port was counted") {
  Scene scene;
  const auto failed = [](std::uint64_t times) {
    model::Counters counts;
    counts.no_port = times;
    return counts;
  };
  scene.act({1, "php-fpm", "php.service", model::Role::kClient, 8081, failed(30)});
  scene.act({2, "cron", "cron.service", model::Role::kClient, 8081, failed(10)});
  scene.act({3, "php-fpm", "php.service", model::Role::kClient, 9000, failed(7)});
  scene.act({4, "other", "other.service", model::Role::kClient, 8081, failed(3), 2});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 3);
  CHECK(troubles[0].kind == Trouble::Kind::kPorts);
  CHECK(troubles[0].destination == model::Peer{"", std::uint16_t{8081}});
  CHECK_FALSE(troubles[0].use);
  CHECK(troubles[0].no_port_per_s == 40);
  REQUIRE(troubles[0].unconnected);
  CHECK(troubles[0].unconnected->name == "php.service");
  CHECK(troubles[0].unconnected->per_s == 30);
  CHECK(troubles[0].unconnected->share == 0.75);
  CHECK(troubles[1].destination == model::Peer{"", std::uint16_t{9000}});
  CHECK(troubles[1].no_port_per_s == 7);
  CHECK(troubles[2].netns_name == "web");
  CHECK(troubles[2].no_port_per_s == 3);
  CHECK(scene.look().empty());  // it is over
}

TEST_CASE("binds that find no port are a trouble without a destination") {
  Scene scene;
  model::Counters failed;
  failed.no_port = failed.no_port_bind = 30;
  scene.act({1, "php-fpm", "php.service", model::Role::kClient, 0, failed});
  failed.no_port = failed.no_port_bind = 10;
  scene.act({2, "cron", "cron.service", model::Role::kClient, 0, failed});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == Trouble::Kind::kPorts);
  CHECK_FALSE(troubles[0].destination);
  CHECK(troubles[0].no_port_per_s == 40);
  REQUIRE(troubles[0].unconnected);
  CHECK(troubles[0].unconnected->name == "php.service");
  CHECK(troubles[0].unconnected->per_s == 30);
  CHECK(scene.look().empty());  // it is over
}

TEST_CASE("connects that find no port belong to the destination whose ports are taken") {
  Scene scene;
  model::Counters failed;
  failed.no_port = 5;
  scene.act({1, "php-fpm", "php.service", model::Role::kClient, 8081, failed});
  scene.head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{kHost, {"10.0.0.9", std::uint16_t{8081}}, {1000, 1001}, 1}});
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].destination->address == "10.0.0.9");
  CHECK(troubles[0].use->taken == 1000);
  CHECK(troubles[0].no_port_per_s == 5);
}

TEST_CASE("a queue that drops now, or is full, is a trouble, the one that drops most first") {
  Scene scene;
  model::Counters dropped;
  dropped.queue_drops = 20;
  scene.act({1, "nginx", "web.service", model::Role::kServer, 443, dropped});
  const auto queue_on = [](std::uint16_t port, std::uint64_t length, double drops_per_s, std::uint32_t netns_id = 1) {
    model::ListenQueue queue;
    queue.netns_id = netns_id;
    queue.port = port;
    queue.service = test::shared_service("web.service");
    queue.comm = "nginx";
    queue.queue = {length, 511};
    queue.drops = 20;
    queue.drops_per_s = drops_per_s;
    return queue;
  };
  const std::vector<model::ListenQueue> queues = {queue_on(80, 512, 0), queue_on(443, 3, 4), queue_on(81, 511, 0),
                                                  queue_on(82, 512, 9, 2), queue_on(83, 512, 9, 99)};
  scene.head.queues = std::make_shared<std::vector<model::ListenQueue>>(queues);
  const auto troubles = scene.look();
  REQUIRE(troubles.size() == 3);
  for (const Trouble& trouble : troubles) CHECK(trouble.kind == Trouble::Kind::kQueue);
  CHECK(troubles[0].netns_name == "web");
  CHECK(troubles[1].queue->port == 443);
  CHECK(troubles[1].use->taken == 3);
  REQUIRE(troubles[1].holder);
  CHECK(troubles[1].holder->name == "web.service");
  CHECK(troubles[1].holder->comm == "nginx");
  CHECK(troubles[2].queue->port == 80);
  const auto ever = view::find_troubles(model::CurrentSource(scene.table, scene.peers, scene.namespaces), scene.head,
                                        {}, view::Connects::kEver);
  CHECK(ever.size() == 4);
}
