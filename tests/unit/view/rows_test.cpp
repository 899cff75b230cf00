// SPDX-License-Identifier: Apache-2.0
#include "view/rows.hpp"

#include <algorithm>
#include <set>

#include "model/gone.hpp"
#include "support/catch.hpp"
#include "support/entries.hpp"
#include "view/row_id.hpp"

using namespace twtrace::model;
using namespace twtrace::view;
using namespace twtrace::test;

namespace {

constexpr Group kGroups[] = {Group::kProcess, Group::kPid, Group::kService, Group::kPort, Group::kPeer, Group::kNetns};

View view(Group group, const Selector& selector = {}, std::size_t max_rows = 0,
          SortColumn sort = SortColumn::kCreatedRate) {
  return {group, sort, selector, max_rows, false, false};
}

/// A table under construction and the namespaces around it.
struct Scene {
  RowTable table{1000};
  PeerTable peers{1000};
  std::vector<NetnsInfo> namespaces = {{1, 4026531840U, "host", {}, {}}};
  std::uint32_t slot = 0;

  void add(const Identity& identity, const Counters& counts, std::optional<std::uint64_t> live = 0,
           bool exited = false) {
    ++slot;
    table.add(slot, slot, identity);
    table.set(slot, counts, live, exited);
  }
  std::vector<Row> rows(const View& asked) const {
    std::uint64_t hidden = 0;
    return build_rows(CurrentSource(table, peers, namespaces), asked, 2.0, hidden);
  }
  std::vector<Row> rows(Group group) const { return rows(view(group)); }
};

Event created() { return {}; }

PeerKey peer_of(const Identity& identity, const std::string& address) {
  return {folded(identity), {address, std::uint16_t{6379}}};
}

std::map<std::uint32_t, Counters> sums_of(const std::vector<Row>& rows) {
  std::map<std::uint32_t, Counters> result;
  for (const Row& row : rows) result[row.netns.value()] += row.counts;
  return result;
}

/// Random rows, some retired, some beyond the bound, with peers for a part of what was created.
Scene random_scene(std::uint64_t seed, std::size_t max_rows, std::map<std::uint32_t, Counters>& expected) {
  Random random(seed);
  Scene scene;
  scene.table = RowTable(max_rows);
  scene.namespaces.clear();
  for (std::uint32_t id = 0; id <= 2; ++id) {
    const Counters unattributed = random_counts(random);
    scene.namespaces.push_back({id, 1000 + id, "", unattributed, {}});
    expected[1000 + id] += unattributed;
  }
  for (std::uint32_t slot = 1; slot <= 60; ++slot) {
    const Identity identity = random_identity(random);
    const Counters counts = random_counts(random);
    expected[1000 + identity.netns] += counts;
    scene.add(identity, counts, random.up_to(3));
    for (std::uint64_t seen = random.up_to(counts.time_wait); seen > 0; --seen) {  // the other events were lost
      scene.peers.count(peer_of(identity, "10.0.0." + std::to_string(random.up_to(2))), created());
    }
    if (random.up_to(2) == 0) scene.table.retire(slot);
  }
  return scene;
}

}  // namespace

TEST_CASE("without a filter the rows of every group sum to the namespaces' counts") {
  const std::size_t max_rows = GENERATE(0U, 3U, 1000U);
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::map<std::uint32_t, Counters> expected;
    const Scene scene = random_scene(seed, max_rows, expected);
    for (const Group group : kGroups) {
      INFO(to_string(group) << ", seed " << seed);
      auto actual = sums_of(scene.rows(group));
      REQUIRE(actual == expected);
    }
  }
}

TEST_CASE("rows that were cut are counted") {
  std::map<std::uint32_t, Counters> expected;
  const Scene scene = random_scene(1, 1000, expected);
  const std::size_t all = scene.rows(Group::kPid).size();
  std::uint64_t hidden = 99;
  CHECK(build_rows(CurrentSource(scene.table, scene.peers, scene.namespaces), view(Group::kPid, {}, 5), 1, hidden)
            .size() == 5);
  CHECK(hidden == all - 5);
  build_rows(CurrentSource(scene.table, scene.peers, scene.namespaces), view(Group::kPid, {}, all), 1, hidden);
  CHECK(hidden == 0);
}

TEST_CASE("the process group merges the pids of one program and counts them") {
  Scene scene;
  scene.add(worker(11), {3}, 2);
  scene.add(worker(12), {5}, 1);
  scene.add(worker(13), {7}, 1, true);
  scene.table.retire(3);
  scene.add(worker(14, "another"), {9}, 9);
  auto rows = scene.rows(view(Group::kProcess, {}, 0, SortColumn::kComm));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].process->comm == "another");
  CHECK(rows[0].process->pid == 14U);
  CHECK(rows[0].process->pids == 1);
  CHECK(rows[1].process->comm == "worker");
  CHECK_FALSE(rows[1].process->pid);
  CHECK(rows[1].process->pids == 3);
  CHECK_FALSE(rows[1].process->exited);
  CHECK(rows[1].process->uid == 33U);
  CHECK(rows[1].counts == Counters{15});
  CHECK(rows[1].live == 3U);
  CHECK(rows[1].service == systemd("worker.service"));
  CHECK(rows[1].port == std::uint16_t{6379});
}

TEST_CASE("one process with two rows is one process") {
  Scene scene;
  Identity v6 = worker(11);
  v6.ipv6 = true;
  scene.add(worker(11), {3}, 2, true);
  scene.add(v6, {4}, 2, true);
  SECTION("while it runs") {}
  SECTION("when its rows were given back") {
    scene.table.retire(1);
    scene.table.retire(2);
  }
  for (const Group group : {Group::kProcess, Group::kPid}) {
    const auto rows = scene.rows(group);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].process->pid == 11U);
    CHECK(rows[0].process->pids == 1);
    CHECK(rows[0].process->exited);
    CHECK(rows[0].counts == Counters{7});
  }
}

TEST_CASE("a pid that was used again is another process") {
  Scene scene;
  Identity later = worker(11);
  later.start_ns += 1;
  scene.add(worker(11), {3});
  scene.add(later, {4});
  CHECK(scene.rows(Group::kPid).size() == 2);
  const auto rows = scene.rows(Group::kProcess);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].process->pids == 2);
  CHECK_FALSE(rows[0].process->pid);
}

TEST_CASE("a process that changed its uid has a row per uid") {
  Scene scene;
  Identity root = worker(11);
  root.uid = 0;
  scene.add(root, {1});
  scene.add(worker(11), {2});
  CHECK(scene.rows(Group::kPid).size() == 2);
  REQUIRE(scene.rows(Group::kProcess).size() == 1);
  CHECK(scene.rows(Group::kProcess)[0].process->pid == 11U);
}

TEST_CASE("one process beside folded ones is not named as the only one") {
  Scene scene;
  scene.table = RowTable(1);
  for (const std::uint32_t pid : {11U, 12U, 13U}) scene.add(worker(pid), {1});
  scene.table.retire(1);
  scene.table.retire(2);
  const auto rows = scene.rows(Group::kProcess);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].process->pids == 3);
  CHECK_FALSE(rows[0].process->pid);
}

TEST_CASE("what a group merges and what differs is empty") {
  Scene scene;
  Identity other_user = worker(12);
  other_user.uid = 34;
  scene.add(worker(11), {1});
  scene.add(other_user, {1});
  CHECK_FALSE(scene.rows(Group::kProcess).at(0).process->uid);
  CHECK(scene.rows(Group::kProcess).at(0).attribution == Attribution::kCloser);

  Identity before_start = worker(0);
  before_start.pid.reset();
  before_start.start_ns = 0;
  before_start.attribution = Attribution::kCgroup;
  scene.add(before_start, {1});
  CHECK(scene.rows(Group::kProcess).size() == 2);  // known by its close, and known by its cgroup
  const auto services = scene.rows(Group::kService);
  REQUIRE(services.size() == 1);
  CHECK_FALSE(services[0].attribution);
  CHECK_FALSE(services[0].process);
  CHECK_FALSE(services[0].port);
  CHECK_FALSE(services[0].role);
  const auto ports = scene.rows(Group::kPort);
  REQUIRE(ports.size() == 1);
  CHECK_FALSE(ports[0].service);
  CHECK(ports[0].role == Role::kClient);
  const auto netns = scene.rows(Group::kNetns);
  REQUIRE(netns.size() == 1);
  CHECK_FALSE(netns[0].port);
  CHECK(netns[0].netns == 4026531840U);
  CHECK(netns[0].netns_name == "host");
  CHECK(netns[0].counts == Counters{3});
}

TEST_CASE("what is not known of one row is not known of the sum") {
  Scene scene;
  scene.add(worker(11), {3}, 2);
  scene.add(worker(12), {3}, std::nullopt);
  CHECK_FALSE(scene.rows(Group::kProcess).at(0).live);
}

TEST_CASE("rates are of the interval") {
  Scene scene;
  scene.add(worker(11), {10, 0, 2});
  scene.table.begin_interval();
  scene.table.set(1, {13, 1, 7}, 0, false);
  const auto rows = scene.rows(Group::kProcess);
  CHECK(rows.at(0).created_per_s == 2.0);
  CHECK(rows.at(0).overflow_per_s == 2.5);
}

TEST_CASE("what no row took is a row of its own, unless a filter hides remainders") {
  Scene scene;
  scene.namespaces[0].unattributed = {5};
  scene.namespaces.push_back({2, 7, "", {}, {}});
  scene.add(worker(11), {3});
  for (const Group group : kGroups) {
    const auto rows = scene.rows(group);
    REQUIRE(rows.size() == 2);
    CHECK(rows[1].kind == RowKind::kUnattributed);
    CHECK(rows[1].attribution == Attribution::kNone);
    CHECK(rows[1].counts == Counters{5});
  }
  CHECK(scene.rows(view(Group::kProcess, selector("comm=worker"))).size() == 1);
  CHECK(scene.rows(view(Group::kProcess, selector("netns=4026531840"))).size() == 2);
  CHECK(scene.rows(view(Group::kProcess, selector("netns=7"))).empty());
}

TEST_CASE("buckets from before the start are rows without a process, in every group") {
  Scene scene;
  scene.add(worker(812), {7}, 3);
  std::vector<Entry> older(3);
  for (Entry& entry : older) {
    entry.identity.netns = 1;
    entry.identity.attribution = Attribution::kNone;
    entry.identity.role = Role::kServer;
    entry.identity.port = 80;
    entry.live = 100;
  }
  older[1].identity.ipv6 = true;
  older[2].identity.role = Role::kClient;
  older[2].identity.port = 6379;
  older[2].identity.service.name = "worker.service";
  older[2].live = 11;
  scene.table.set_before_start(older);

  const auto before_start = [](std::vector<Row> rows) {
    std::erase_if(rows, [](const Row& row) { return row.kind != RowKind::kBeforeStart; });
    for (const Row& row : rows) {
      CHECK_FALSE(row.process);
      CHECK(row.counts == Counters{});
      CHECK(row.created_per_s == 0);
    }
    return rows;
  };
  for (const Group group : {Group::kProcess, Group::kPid, Group::kPeer}) {
    INFO(to_string(group));
    const auto rows = before_start(scene.rows(view(group, {}, 0, SortColumn::kLive)));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].live == 200U);
    CHECK(rows[0].role == Role::kServer);
    CHECK(rows[0].port == 80);
    CHECK_FALSE(rows[0].service);
    CHECK(rows[1].live == 11U);
    CHECK(rows[1].service->name == "worker.service");
    CHECK(rows[1].attribution == Attribution::kNone);
  }
  CHECK(before_start(scene.rows(Group::kService)).size() == 2);
  CHECK(before_start(scene.rows(Group::kPort)).size() == 2);
  const auto of_namespace = before_start(scene.rows(Group::kNetns));
  REQUIRE(of_namespace.size() == 1);
  CHECK(of_namespace[0].live == 211U);
  CHECK(scene.rows(view(Group::kPid, {}, 0, SortColumn::kLive))[0].kind == RowKind::kBeforeStart);  // it holds the most

  const auto found = before_start(scene.rows(view(Group::kPid, selector("service=worker"))));
  REQUIRE(found.size() == 1);
  CHECK(found[0].live == 11U);
}

TEST_CASE("remote ends of buckets from before the start are rows, and what is left of them is one without") {
  Scene scene;
  Entry older;
  older.identity.netns = 1;
  older.identity.attribution = Attribution::kNone;
  older.identity.role = Role::kServer;
  older.identity.port = 80;
  older.live = 100;
  const auto rows_when = [&](const PeerTable::Live& live) {
    scene.table.set_before_start({older});
    scene.peers.set_before_start(live);
    std::map<std::string, std::uint64_t> rows;
    for (const Row& row : scene.rows(view(Group::kPeer, selector("port=80")))) {
      CHECK(row.kind == RowKind::kBeforeStart);
      CHECK(row.port == 80);
      rows[row.peer ? row.peer->address : ""] = row.live.value();
    }
    CHECK(scene.rows(view(Group::kPid, selector("port=80")))[0].live == older.live);
    return rows;
  };
  const Peer some{"10.0.0.1", std::nullopt};
  const Peer more{"10.0.0.2", std::nullopt};
  using Found = std::map<std::string, std::uint64_t>;
  CHECK(rows_when({{{older.identity, some}, 30}, {{older.identity, more}, 60}}) ==
        Found{{"", 10}, {"10.0.0.1", 30}, {"10.0.0.2", 60}});
  older.live = 60;
  CHECK(rows_when({{{older.identity, more}, 60}}) == Found{{"10.0.0.2", 60}});
  CHECK(scene.rows(view(Group::kPeer, selector("10.0.0.1"))).empty());
  CHECK(scene.rows(view(Group::kPeer, selector("10.0.0.2"))).size() == 1);
}

TEST_CASE("rows with nothing to say are left out for people, and counted in sums") {
  Scene scene;
  const auto add_port = [&scene](std::uint16_t port, const Counters& counts, std::optional<std::uint64_t> live = 0) {
    Identity who;
    who.netns = 1;
    who.port = port;
    scene.add(who, counts, live);
  };
  Counters unfelt;
  unfelt.resets_received = 3;
  add_port(1, unfelt);
  add_port(2, {}, std::nullopt);
  Counters removed;  // of buckets from before the start, or of a peer whose counts went to (other)
  removed.expired = removed.reused = removed.recycled = removed.purged = 1;
  add_port(3, removed);
  std::uint16_t port = 4;
  for (const auto count : {&Counters::time_wait, &Counters::overflow_fin_wait2, &Counters::no_memory,
                           &Counters::no_port, &Counters::resets_felt, &Counters::queue_drops}) {
    Counters counts;
    counts.*count = 1;
    add_port(port++, counts);
  }
  add_port(port++, {}, 1);
  View shown = view(Group::kPort);
  CHECK(scene.rows(shown).size() == 10);
  shown.leave_out_silent = true;
  const std::vector<Row> rows = scene.rows(shown);
  CHECK(rows.size() == 7);
  for (const Row& row : rows) CHECK(row.port > 3);
}

TEST_CASE("what nobody owns is a row of its namespace only if it says something") {
  const auto count_of_rows = [](const Counters& unattributed) {
    Scene scene;
    scene.add(worker(11), {3}, 3);
    scene.namespaces.at(0).unattributed = unattributed;
    View shown = view(Group::kNetns);
    const std::size_t all = scene.rows(shown).size();
    shown.leave_out_silent = true;
    return std::pair(all, scene.rows(shown).size());
  };
  Counters other_resets;
  other_resets.resets_other = 4;
  CHECK(count_of_rows({}) == std::pair<std::size_t, std::size_t>(1, 1));
  CHECK(count_of_rows(other_resets) == std::pair<std::size_t, std::size_t>(2, 1));
  CHECK(count_of_rows({1}) == std::pair<std::size_t, std::size_t>(2, 2));
}

TEST_CASE("folded rows are hidden by a filter that cannot be asked of them") {
  Scene scene;
  scene.table = RowTable(0);
  scene.add(worker(11), {3}, 0, true);
  scene.table.retire(1);
  const auto rows = scene.rows(Group::kProcess);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].kind == RowKind::kOther);
  CHECK_FALSE(rows[0].process);
  CHECK_FALSE(rows[0].attribution);
  CHECK(scene.rows(view(Group::kProcess, selector("service=*"))).empty());
}

TEST_CASE("peers and the remainder are the exact counts though events were lost") {
  Scene scene;
  scene.add(worker(11), {10, 3}, 4);
  for (int i = 0; i < 4; ++i) scene.peers.count(peer_of(worker(11), "10.0.0.1"), created());
  scene.peers.count(peer_of(worker(11), "10.0.0.2"), created());
  const auto rows = scene.rows(view(Group::kPeer, {}, 0, SortColumn::kCreated));
  REQUIRE(rows.size() == 3);
  CHECK_FALSE(rows[0].peer);
  CHECK(rows[0].counts == Counters{5, 3});
  CHECK(rows[1].peer == Peer{"10.0.0.1", std::uint16_t{6379}});
  CHECK(rows[1].counts == Counters{4});
  CHECK(rows[1].process->pid == 11U);
  CHECK(rows[2].counts == Counters{1});
  for (const Row& row : rows) CHECK_FALSE(row.live);
}

TEST_CASE("a peer that took everything leaves no remainder") {
  Scene scene;
  scene.add(worker(11), {2}, 4);
  for (int i = 0; i < 2; ++i) scene.peers.count(peer_of(worker(11), "10.0.0.1"), created());
  CHECK(scene.rows(Group::kPeer).size() == 1);
}

TEST_CASE("peers of a program that went to (other) and came back are not counted twice") {
  Scene scene;
  scene.table = RowTable(0);
  scene.add(worker(11), {5}, 0, true);
  for (int i = 0; i < 5; ++i) scene.peers.count(peer_of(worker(11), "10.0.0.1"), created());
  scene.table.retire(1);
  scene.add(worker(12), {2});
  for (int i = 0; i < 2; ++i) scene.peers.count(peer_of(worker(12), "10.0.0.1"), created());
  CHECK(sums_of(scene.rows(Group::kPeer)).at(4026531840U) == Counters{7});
}

TEST_CASE("a filter on the process holds for its peers") {
  Scene scene;
  scene.add(worker(11, "a"), {1});
  scene.add(worker(12, "b"), {1});
  scene.peers.count(peer_of(worker(11, "a"), "10.0.0.1"), created());
  scene.peers.count(peer_of(worker(12, "b"), "10.0.0.1"), created());
  const auto rows = scene.rows(view(Group::kPeer, selector("comm=b")));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].process->comm == "b");
  CHECK(rows[0].peer);
}

TEST_CASE("a plain word is looked for in peers and in their processes") {
  Scene scene;
  scene.add(worker(11, "a"), {5});
  scene.add(worker(12, "b"), {3});
  scene.peers.count(peer_of(worker(11, "a"), "10.0.0.1"), created());
  scene.peers.count(peer_of(worker(11, "a"), "10.0.0.2"), created());
  scene.peers.count(peer_of(worker(12, "b"), "10.0.0.1"), created());
  const auto shown = [&](std::string_view filter) {
    std::vector<std::string> result;
    for (const Row& row : scene.rows(view(Group::kPeer, selector(filter), 0, SortColumn::kComm))) {
      result.push_back(row.process->comm + (row.peer ? " " + row.peer->address : "") + " " +
                       std::to_string(row.counts.created()));
    }
    std::sort(result.begin(), result.end());
    return result;
  };
  using Shown = std::vector<std::string>;
  CHECK(shown("10.0.0.1") == Shown{"a 10.0.0.1 1", "b 10.0.0.1 1"});
  CHECK(shown("10.0.0.2") == Shown{"a 10.0.0.2 1"});
  CHECK(shown("b.service") == Shown{"b 10.0.0.1 1", "b 2"});
  CHECK(shown("10.0.0.2 b.service").empty());
}

TEST_CASE("amounts are compared with what a row shows, after its facts were added up") {
  Scene scene;
  scene.add(worker(11), {3}, 2);
  scene.add(worker(12), {5}, 1);
  scene.add(worker(13, "another"), {7, 0, 1}, std::nullopt);
  const auto names = [&](Group group, std::string_view filter) {
    std::string result;
    for (const Row& row : scene.rows(view(group, selector(filter), 0, SortColumn::kComm))) {
      result += row.process->comm + ' ';
    }
    return result;
  };
  CHECK(names(Group::kProcess, "created>7") == "worker ");
  CHECK(names(Group::kProcess, "created==7") == "another ");
  CHECK(names(Group::kPid, "created>7") == "");
  CHECK(names(Group::kPid, "created>=5") == "another worker ");
  CHECK(names(Group::kProcess, "overflow>0") == "another ");
  CHECK(names(Group::kProcess, "overflow=0") == "worker ");
  CHECK(names(Group::kProcess, "live>=3") == "worker ");
  CHECK(names(Group::kProcess, "live<3") == "");  // not measured is not few
  CHECK(names(Group::kProcess, "created/s>=4") == "worker ");
  CHECK(names(Group::kProcess, "overflow/s>0.4 created/s<3.6") == "another ");
}

TEST_CASE("cgroups of equal leaf names are different services, sub-cgroups of a service are one") {
  const auto in = [](std::uint32_t pid, const std::string& cgroup, std::uint32_t inner_bytes) {
    Identity identity = worker(pid);
    identity.service = {"systemd", "worker.service", cgroup, {}, {}, inner_bytes};
    return identity;
  };
  const auto made = [](std::uint64_t created) {
    Counters counts;
    counts.time_wait = created;
    return counts;
  };
  Scene scene;
  scene.add(in(1, "/a/worker.service", 0), made(5));
  scene.add(in(2, "/b/worker.service/1", 2), made(2));
  scene.add(in(3, "/b/worker.service/22", 3), made(1));
  for (const Group group : {Group::kService, Group::kProcess}) {
    const auto rows = scene.rows(view(group, {}, 0, SortColumn::kCreated));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].service->name == "worker.service");
    CHECK(rows[0].service->cgroup == "/a/worker.service");
    CHECK(rows[0].shown_service() == "a/worker.service");
    CHECK(rows[0].counts.created() == 5);
    CHECK(rows[1].service->cgroup == "/b/worker.service");  // of several of its cgroups
    CHECK(rows[1].shown_service() == "b/worker.service");
    CHECK(rows[1].counts.created() == 3);
  }
  const auto pids = scene.rows(view(Group::kPid, {}, 0, SortColumn::kCreated));
  REQUIRE(pids.size() == 3);
  CHECK(pids[1].service->cgroup == "/b/worker.service/1");
  CHECK(pids[1].shown_service() == "b/worker.service");

  // What is filtered out needs no telling apart.
  const auto one = scene.rows(view(Group::kService, selector("service=a/worker.service")));
  REQUIRE(one.size() == 1);
  CHECK(one[0].shown_service() == "worker.service");
  CHECK(one[0].service_label.empty());
}

TEST_CASE("by namespace every namespace has a row, and those that fold are one") {
  Scene scene;
  Snapshot head;
  head.interval_s = 2;
  Counters sum;
  const auto add = [&](std::uint32_t id, bool gone, std::uint64_t created, bool attributed = true) {
    NetnsRow netns;
    netns.id = id;
    netns.netns = 1000 + id;
    netns.gone = gone;
    netns.pre_existing = 0;
    netns.counts.time_wait = created;
    head.namespaces.push_back(netns);
    scene.namespaces.push_back({id, netns.netns, "", attributed ? Counters{} : Counters{created}, {}});
    Identity who = worker(id);
    who.netns = id;
    if (created != 0 && attributed) scene.add(who, {created}, 1);
    sum += netns.counts;
  };
  scene.namespaces.clear();
  add(1, false, 5);
  add(2, false, 0);
  add(3, true, 0);
  std::uint32_t id = 4;
  for (std::uint64_t i = 1; i <= kGoneListed + 10; ++i) add(id++, true, i, i % 2 == 0);
  const CurrentSource source(scene.table, scene.peers, scene.namespaces);
  const auto rows = with_rows(head, source, view(Group::kNetns)).rows;

  Counters shown;
  std::set<std::uint32_t> present;
  const Row* gone = nullptr;
  for (const Row& row : rows) {
    shown += row.counts;
    if (row.kind == RowKind::kGone) gone = &row;
    if (row.kind == RowKind::kNormal) present.insert(row.netns_id);
  }
  CHECK(shown == sum);
  CHECK(present.size() == 2 + kGoneListed);
  CHECK(present.contains(2));
  REQUIRE(gone == &rows.back());
  CHECK(gone->namespaces == 11);
  CHECK(gone->counts.created() == 55);
  CHECK_FALSE(gone->netns);
  CHECK(gone->id == gone_row_id());

  const auto idle = [](const Row& row) { return row.netns_id == 2; };
  const auto before = std::find_if(rows.begin(), rows.end(), idle);
  CHECK(before->live == 0U);
  Identity late = worker(7);
  late.netns = 2;
  scene.add(late, {9}, 9);
  const auto later = with_rows(head, source, view(Group::kNetns)).rows;
  CHECK(std::find_if(later.begin(), later.end(), idle)->id == before->id);

  CHECK(with_rows(head, source, view(Group::kNetns, selector("netns=1002"))).rows.size() == 1);
  CHECK(with_rows(head, source, view(Group::kNetns, selector("comm=nobody"))).rows.empty());
  CHECK(with_rows(head, source, view(Group::kPid)).rows.back().kind != RowKind::kGone);
  View for_people = view(Group::kNetns);
  for_people.leave_out_silent = true;
  CHECK(with_rows(head, source, for_people).rows.size() == rows.size());
}
