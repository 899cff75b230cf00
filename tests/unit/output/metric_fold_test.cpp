// SPDX-License-Identifier: Apache-2.0
#include "output/metric_fold.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "model/row_table.hpp"
#include "output/metric_families.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using output::MetricFold;
using output::MetricLimits;
using output::MetricNamespaces;
using output::NamespaceMetrics;
using output::WorkloadLabels;

namespace {

constexpr std::uint32_t kHostId = 1;
constexpr std::size_t kOwn = output::kSeriesPerNamespace + output::kSeriesPerWorkload;  // what a namespace takes

const WorkloadLabels kOther{"other", "other", "", "", ""};

/// A trace whose programs and namespaces a test controls.
struct Trace {
  explicit Trace(const MetricLimits& limits = {}, std::size_t max_rows = 100) : table(max_rows), fold(limits) {
    netns(kHostId, "host");
    head.live_age_s = 0;
  }

  model::NetnsRow& netns(std::uint32_t id, const std::string& name) {
    model::NetnsRow row;
    row.id = id;
    row.netns = 4026531840U + id;
    row.name = name;
    head.namespaces.push_back(row);
    infos.push_back({id, row.netns, name, {}, {}});
    return head.namespaces.back();
  }

  model::NetnsRow& row_of(std::uint32_t id) {
    return *std::find_if(head.namespaces.begin(), head.namespaces.end(),
                         [id](const auto& row) { return row.id == id; });
  }

  /// Lets a program act before the next sample. A slot that is used for the first time is a new process.
  void act(std::uint32_t slot, const model::Counters& more, const std::string& service = "web.service",
           std::uint32_t netns_id = kHostId, const std::string& comm = "nginx", std::uint16_t port = 80) {
    model::Counters counts = more;
    if (const model::Entry* known = table.at(slot)) {
      counts += known->counts;
    } else {
      model::Identity who;
      who.netns = netns_id;
      who.pid = 1000 + ++processes;
      who.start_ns = start_ns;
      who.comm = comm;
      who.service.kind = "systemd";
      who.service.name = service;
      who.service.cgroup = "/" + service;
      if (!container.empty()) who.service.container = container;
      who.role = model::Role::kServer;
      who.port = port;
      table.add(slot, processes, who);
    }
    table.set(slot, counts, counts.created(), false);
    row_of(netns_id).counts += more;
  }

  /// A process that has run and ended since the last sample.
  void end(std::uint32_t slot, const model::Counters& counts, std::uint16_t port) {
    act(slot, counts, "web.service", kHostId, "nginx", port);
    table.retire(slot);
  }

  /// Ends an interval.
  void sample(double seconds = 1) {
    head.uptime_s += seconds;
    for (auto& netns : head.namespaces) netns.kernel.created = netns.counts.created();
    fold.observe(head, model::CurrentSource(table, peers, infos));
    table.begin_interval();
    for (auto& info : infos) info.unattributed_previous = info.unattributed;
  }

  const NamespaceMetrics& named(const std::string& label) const { return fold.namespaces().at(label); }
  std::uint64_t created(const WorkloadLabels& who, const std::string& netns = "host") const {
    const auto& workloads = named(netns).workloads;
    const auto found = workloads.find(who);
    return found == workloads.end() ? 0 : found->second.counts.created();
  }

  model::RowTable table;
  model::PeerTable peers{10};
  std::vector<model::NetnsInfo> infos;
  model::Snapshot head;
  MetricFold fold;
  std::uint32_t processes = 0;
  std::string container;  ///< of the processes that follow
  std::uint64_t start_ns = 0;
};

model::Counters made(std::uint64_t created, std::uint64_t refused = 0) {
  model::Counters counts;
  counts.time_wait = created;
  counts.overflow_fin_wait2 = refused;
  return counts;
}

WorkloadLabels web(const std::string& service = "web.service", const std::string& port = "80") {
  return {service, "systemd", "nginx", "server", port};
}

model::Counters sum(const NamespaceMetrics& netns) {
  model::Counters all;
  for (const auto& [who, workload] : netns.workloads) all += workload.counts;
  return all;
}

MetricLimits at_once() {
  MetricLimits limits;
  limits.min_age_s = 0;
  return limits;
}

}  // namespace

TEST_CASE("a young workload is in other, and keeps what it counts later") {
  Trace trace;
  trace.act(1, made(7));
  trace.sample();
  CHECK(trace.created(kOther) == 7);
  CHECK(trace.named("host").workloads.size() == 1);
  trace.act(1, made(11));
  trace.sample(29);
  CHECK(trace.created(kOther) == 18);
  trace.act(1, made(13));
  trace.act(3, made(1));  // another process of the same labels
  trace.sample();         // 30 s after the first sample that had it
  CHECK(trace.created(kOther) == 32);
  CHECK(trace.named("host").workloads.at(web()).counts == model::Counters{});  // begins at 0
  trace.act(1, made(17));
  trace.sample();
  CHECK(trace.created(kOther) == 32);
  CHECK(trace.created(web()) == 17);
  CHECK(trace.named("host").workloads.at(web()).live == 49);  // live buckets stay, whoever counted them
  CHECK(trace.named("host").workloads.at(kOther).live == 0);
  trace.head.live_age_s.reset();
  trace.table.retire(1);
  trace.sample();
  CHECK_FALSE(trace.named("host").workloads.at(kOther).live);
}

TEST_CASE("a workload is no process: a restarted one goes on") {
  Trace trace(at_once());
  trace.act(1, made(7, 2));
  trace.sample();
  trace.table.retire(1);
  trace.act(1, made(5));
  trace.act(2, made(3));
  trace.sample();
  CHECK(trace.created(web()) == 15);
  CHECK(trace.named("host").workloads.at(web()).counts.overflow_fin_wait2 == 2);
  CHECK(trace.created(kOther) == 0);
}

TEST_CASE("a workload is as old as its process, if its start is known") {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  Trace trace;
  trace.sample();
  trace.head.boottime_ns = 1000 * kSecond;
  trace.start_ns = 970 * kSecond;
  trace.act(1, made(1));
  trace.start_ns = 971 * kSecond;
  trace.act(2, made(2), "db.service");
  trace.start_ns = 1001 * kSecond;  // no process starts later than now
  trace.act(3, made(4), "odd.service");
  trace.sample();
  CHECK(trace.named("host").workloads.size() == 2);
  CHECK(trace.named("host").workloads.at(web()).counts == model::Counters{});  // begins at 0
  CHECK(trace.created(kOther) == 7);
  trace.act(1, made(8));
  trace.start_ns = 1000 * kSecond;
  trace.act(4, made(16));  // a young process of an old workload
  trace.head.boottime_ns += kSecond;
  trace.sample();
  CHECK(trace.created(web()) == 24);
  CHECK(trace.named("host").workloads.size() == 3);
  trace.sample(30);
  CHECK(trace.named("host").workloads.size() == 4);
}

TEST_CASE("processes that ended young leave no series, unless their workload counts again") {
  constexpr std::uint32_t kProcesses = 160;
  MetricLimits limits;
  limits.max_series = output::kSeriesPerWorkload;
  Trace trace(limits);
  for (std::uint32_t i = 1; i <= kProcesses; ++i) {
    trace.act(i, made(1), "web.service", kHostId, "nginx", static_cast<std::uint16_t>(2000 + i));
  }
  trace.sample();
  for (std::uint32_t i = 1; i <= kProcesses; ++i) trace.table.retire(i);
  trace.sample(60);
  trace.sample();
  CHECK(trace.created(kOther) == kProcesses);
  CHECK(trace.named("host").workloads.size() == 1);
  model::Counters removed;
  removed.expired = 1;
  trace.end(kProcesses + 1, removed, 2160);  // the end of a bucket is no count of its own
  trace.sample();
  CHECK(trace.named("host").workloads.size() == 1);
  trace.end(kProcesses + 2, made(1), 2160);  // ran again, between two samples
  trace.sample();
  CHECK(trace.named("host").workloads.size() == 2);
  CHECK(trace.named("host").workloads.at(web("web.service", "2160")).counts == model::Counters{});  // begins at 0
  trace.end(kProcesses + 3, made(1), 2160);
  trace.sample();
  CHECK(trace.created(web("web.service", "2160")) == 1);
  CHECK(trace.created(kOther) == kProcesses + 1);
  CHECK(sum(trace.named("host")) == trace.named("host").counts);
  CHECK_FALSE(trace.fold.is_full());
}

TEST_CASE("no label is a port that bind() to port 0 may have chosen") {
  Trace trace;
  const auto serve = [&trace](std::uint32_t slot, std::uint32_t port) {
    trace.act(slot, made(1), "ftp.service", kHostId, "ftpd", static_cast<std::uint16_t>(port));
  };
  for (std::uint32_t i = 1; i <= 50; ++i) serve(i, 32767 + i);
  for (std::uint32_t i = 51; i <= 100; ++i) serve(i, 60899 + i);
  trace.sample();
  trace.sample(60);
  for (int again = 0; again < 2; ++again) {
    for (std::uint32_t i = 1; i <= 50; ++i) serve(i, 32767 + i);
    trace.sample(2 * output::RangePorts::kFixedAfterS);
  }
  const WorkloadLabels many{"ftp.service", "systemd", "ftpd", "server", ""};
  const WorkloadLabels above{"ftp.service", "systemd", "ftpd", "server", "61000"};  // the first behind the range
  CHECK(trace.named("host").workloads.size() == 2);
  CHECK(trace.created(many) == 100);
  trace.row_of(kHostId).local_ports = model::PortRange{40000, 40100};
  serve(101, 61000);
  trace.sample();
  trace.sample(60);
  CHECK(trace.named("host").workloads.contains(above));
}

TEST_CASE("ports are ephemeral by the range of their namespace, and of clients too") {
  Trace trace(at_once());
  trace.row_of(kHostId).local_ports = model::PortRange{10000, 10001};
  trace.netns(2, "blue").local_ports = model::PortRange{20000, 20000};
  trace.act(1, made(1), "a", kHostId, "nginx", 10001);
  trace.act(2, made(2), "a", kHostId, "nginx", 50051);
  trace.act(3, made(4), "a", 2, "nginx", 10001);
  trace.sample();
  CHECK(trace.created(web("a", "")) == 1);
  CHECK(trace.created(web("a", "50051")) == 2);
  CHECK(trace.created(web("a", "10001"), "blue") == 4);
}

TEST_CASE("a service keeps its fixed port in the range of ephemeral ones, once it has counted there for a while") {
  Trace trace;
  trace.act(1, made(1), "grpc.service", kHostId, "nginx", 50051);
  trace.sample();
  trace.sample(60);
  trace.table.retire(1);
  trace.act(1, made(2), "grpc.service", kHostId, "nginx", 50051);
  trace.sample();
  CHECK(trace.created(web("grpc.service", "")) == 2);
  trace.act(1, made(4), "grpc.service", kHostId, "nginx", 50051);
  trace.sample(output::RangePorts::kFixedAfterS);
  CHECK(trace.named("host").workloads.at(web("grpc.service", "50051")).counts == model::Counters{});
  trace.act(1, made(8), "grpc.service", kHostId, "nginx", 50051);
  trace.act(2, made(16), "grpc.service", kHostId, "nginx", 50051);  // another process
  trace.sample();
  CHECK(trace.created(web("grpc.service", "50051")) == 24);
  CHECK(trace.created(web("grpc.service", "")) == 2);
  CHECK(sum(trace.named("host")) == trace.named("host").counts);
}

TEST_CASE("a workload with too many ports has no fixed one any more") {
  output::RangePorts ports;
  ports.count(50051, 0);
  CHECK_FALSE(ports.is_fixed(50051));
  ports.count(50051, output::RangePorts::kFixedAfterS);
  CHECK(ports.is_fixed(50051));
  for (std::uint16_t i = 1; i < output::RangePorts::kMost; ++i) ports.count(i, 0);
  ports.count(1, output::RangePorts::kFixedAfterS);
  CHECK(ports.is_fixed(1));
  ports.count(100, 0);
  ports.count(2, output::RangePorts::kFixedAfterS);
  CHECK_FALSE(ports.is_fixed(2));
  CHECK(ports.is_fixed(50051));
}

TEST_CASE("rows that are folded into others leave their counts where they were") {
  Trace trace(at_once(), 1);
  for (std::uint32_t i = 1; i <= 5; ++i) trace.act(i, made(i), "s" + std::to_string(i));
  trace.sample();
  for (std::uint32_t i = 1; i <= 5; ++i) trace.table.retire(i);
  trace.sample();
  trace.sample();
  for (std::uint32_t i = 1; i <= 5; ++i) CHECK(trace.created(web("s" + std::to_string(i))) == i);
  CHECK(trace.created(kOther) == 0);
}

TEST_CASE("what comes after max_series stays in other") {
  MetricLimits limits = at_once();
  limits.max_series = 2 * output::kSeriesPerWorkload;
  Trace trace(limits);
  for (std::uint32_t i = 1; i <= 2; ++i) trace.act(i, made(i), "s" + std::to_string(i));
  trace.sample();
  CHECK_FALSE(trace.fold.is_full());
  trace.act(3, made(100), "s3");
  trace.act(4, made(1000), "s2");  // another process of a workload that has its series
  trace.sample();
  CHECK(trace.fold.is_full());
  CHECK(trace.created(kOther) == 100);
  CHECK(trace.created(web("s2")) == 1002);
  CHECK(trace.named("host").workloads.size() == 3);
}

TEST_CASE("namespaces get their labels by --metrics.netns") {
  MetricLimits limits = at_once();
  const auto labels = [&](MetricNamespaces wanted) {
    limits.namespaces = wanted;
    Trace trace(limits);
    trace.netns(2, "blue");
    trace.netns(3, "");
    trace.netns(4, "");
    trace.netns(5, "cart").is_container = true;
    trace.act(2, made(2), "a", 2);
    trace.container = "0123456789ab";
    trace.act(3, made(3), "shop/web.service", 3);
    trace.container.clear();
    trace.act(4, made(4), "c", 4);
    trace.act(5, made(5), "d", 5);
    trace.sample();
    trace.sample();
    trace.act(3, made(30), "shop/web.service", 3);
    trace.sample();
    std::map<std::string, std::uint64_t> result;
    for (const auto& [label, netns] : trace.fold.namespaces()) {
      CHECK(sum(netns) == netns.counts);
      CHECK(netns.kernel.created.value_or(0) == netns.counts.created());
      result[label] = netns.counts.created();
    }
    return result;
  };
  using Counts = std::map<std::string, std::uint64_t>;
  CHECK(labels(MetricNamespaces::kHost) == Counts{{"host", 0}, {"other", 44}});
  CHECK(labels(MetricNamespaces::kNamed) == Counts{{"blue", 2}, {"host", 0}, {"other", 42}});
  CHECK(labels(MetricNamespaces::kAll) == Counts{{"blue", 2}, {"cart", 5}, {"host", 0}, {"other", 7}, {"shop", 30}});
}

TEST_CASE("a namespace that comes later is in other while it is young, and while there are too many") {
  MetricLimits limits;
  limits.max_series = kOwn;
  Trace trace(limits);
  trace.sample();
  trace.netns(2, "late").in_use = 5;
  trace.act(1, made(5), "a", 2);
  trace.sample();
  trace.netns(3, "too-many");
  trace.sample(30);
  trace.sample(60);
  CHECK(trace.fold.namespaces().size() == 3);
  CHECK(trace.named("late").in_use == 5);
  CHECK(trace.named("late").counts.created() == 0);
  CHECK(trace.named("other").counts.created() == 5);
  CHECK(trace.fold.is_full());
}

TEST_CASE("a namespace that is gone keeps its counts, and the next one of its name goes on") {
  Trace trace(at_once());
  trace.netns(2, "blue").limit = 100;
  trace.row_of(2).in_use = 7;
  trace.act(1, made(7), "a", 2);
  trace.sample();
  CHECK(trace.named("blue").limit == 100);
  trace.row_of(2).gone = true;
  trace.sample();
  CHECK_FALSE(trace.named("blue").in_use);
  CHECK_FALSE(trace.named("blue").limit);
  CHECK(trace.named("blue").counts.created() == 7);
  trace.table.retire(1);
  trace.netns(3, "blue").limit = 50;
  trace.act(1, made(5), "a", 3);
  trace.sample();
  CHECK(trace.named("blue").counts.created() == 12);
  CHECK(trace.named("blue").limit == 50);
  CHECK(trace.created(web("a"), "blue") == 12);
}

TEST_CASE("what has no owner is a workload of its own") {
  Trace trace(at_once());
  trace.sample();
  CHECK(trace.named("host").workloads.size() == 1);
  trace.row_of(kHostId).unattributed = made(3, 1);
  trace.row_of(kHostId).counts += made(3, 1);
  trace.sample();
  CHECK(trace.created({"unattributed", "unattributed", "", "", ""}) == 3);
  CHECK(sum(trace.named("host")) == trace.named("host").counts);
}

TEST_CASE("what has no owner begins at 0, too") {
  const WorkloadLabels unattributed{"unattributed", "unattributed", "", "", ""};
  Trace trace;
  trace.sample();
  for (const std::uint64_t wanted : {0U, 2U}) {
    trace.row_of(kHostId).unattributed += made(2);
    trace.row_of(kHostId).counts += made(2);
    trace.sample();
    CHECK(trace.named("host").workloads.at(unattributed).counts.created() == wanted);
    CHECK(trace.created(kOther) == 2);
    CHECK(sum(trace.named("host")) == trace.named("host").counts);
  }
}

TEST_CASE("all series of a namespace begin at 0, and sums stay exact meanwhile") {
  Trace trace;
  trace.sample();
  CHECK(trace.named("other").kernel.created == 0U);
  trace.netns(2, "late").missed.overflow = 3;
  const auto exported = [&trace](const std::string& label) {
    CHECK(sum(trace.named(label)) == trace.named(label).counts);
    CHECK(trace.named(label).kernel.created == trace.named(label).counts.created());
    return trace.named(label).counts.created();
  };
  trace.act(1, made(5), "a", 2);
  trace.sample();
  CHECK(exported("other") == 5);
  trace.act(1, made(7), "a", 2);
  trace.sample(30);  // the label is new
  CHECK(exported("other") == 12);
  CHECK(exported("late") == 0);
  CHECK(trace.named("late").missed.overflow == 0U);
  CHECK(trace.created(kOther, "late") == 0);
  trace.act(1, made(11), "a", 2);
  trace.sample();
  CHECK(exported("other") == 12);
  CHECK(exported("late") == 11);
  CHECK(trace.named("other").missed.overflow == 3U);
}

TEST_CASE("workloads hold nothing that was there before the start") {
  Trace trace;
  model::Entry older;
  older.identity.netns = kHostId;
  older.identity.role = model::Role::kServer;
  older.identity.port = 80;
  older.live = 40;
  trace.table.set_before_start({older});
  trace.act(1, made(3));
  trace.sample();
  std::uint64_t live = 0;
  for (const auto& [who, workload] : trace.named("host").workloads) live += workload.live.value_or(0);
  CHECK(live == 3);
}

TEST_CASE("counts of forgotten namespaces move to another one, and are not counted again") {
  Trace trace(at_once());
  trace.netns(2, "");
  trace.act(1, made(7), "a", 2);
  trace.row_of(2).missed.created = 3;
  trace.row_of(2).unattributed = made(5);
  trace.row_of(2).counts += made(5);
  trace.sample();
  CHECK(trace.created(web("a"), "other") == 7);
  trace.table.retire(1);
  trace.table.move({2}, model::kForgottenNetns);
  trace.head.namespaces.pop_back();
  model::NetnsRow& other = trace.netns(model::kForgottenNetns, "(other)");
  other.counts = other.moved = made(12);
  other.unattributed = other.moved_unattributed = made(5);
  other.missed.created = 3;
  trace.sample();
  trace.sample();
  CHECK(trace.fold.namespaces().size() == 2);
  CHECK(trace.named("other").counts.created() == 12);
  CHECK(trace.named("other").workloads.size() == 3);
  CHECK(sum(trace.named("other")) == trace.named("other").counts);
  CHECK(trace.named("other").missed.created == 3);
}

TEST_CASE("missed counts never fall, though a count that came late was taken for missed") {
  Trace trace(at_once());
  trace.row_of(kHostId).missed.created = 5;
  trace.sample();
  trace.row_of(kHostId).missed.created = 2;
  trace.sample();
  CHECK(trace.named("host").missed.created == 5);
  trace.row_of(kHostId).missed.created = 6;
  trace.sample();
  CHECK(trace.named("host").missed.created == 6);
  CHECK_FALSE(trace.named("host").missed.overflow);
}

TEST_CASE("ports are those of the fullest destination") {
  Trace trace(at_once());
  model::PortUse half;
  half.netns_id = kHostId;
  half.destination = {"10.0.0.9", std::uint16_t{80}};
  half.ports = {50, 100};
  model::PortUse full = half;
  full.ports = {100, 100};
  trace.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector{half, full, half});
  trace.sample();
  CHECK(trace.named("host").ports_taken == 1.0);
  CHECK_FALSE(trace.named("other").ports_taken);
  model::PortUse pool = half;  // all are taken, and 90 of them for every destination
  pool.destination = {};
  pool.ports = {100, 100};
  pool.bound = 90;
  trace.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector{pool, half});
  trace.sample();
  CHECK(trace.named("host").ports_taken == 0.9);
}

TEST_CASE("a filter leaves rows out") {
  Trace trace(at_once());
  trace.act(1, made(7));
  trace.act(2, made(5), "db.service");
  trace.head.uptime_s = 1;
  const auto shown = view::parse_selector("service==db.service", view::Grammar::kFilter);
  REQUIRE(shown);
  trace.fold.observe(trace.head, model::CurrentSource(trace.table, trace.peers, trace.infos), *shown);
  CHECK(trace.named("host").workloads.size() == 2);
  CHECK(trace.created(web("db.service")) == 5);
}

TEST_CASE("workloads of the same labels are one, so that no series comes up twice") {
  Trace trace(at_once());
  trace.act(1, made(7), std::string("a\x01", 2));
  trace.act(2, made(5), "a\\x01");
  trace.sample();
  CHECK(trace.created(web("a\\x01")) == 12);
}

TEST_CASE("label texts are valid UTF-8 whatever the name") {
  CHECK(output::label_text("") == "");
  CHECK(output::label_text("a\"b\\c\nd") == "a\"b\\c\nd");
  CHECK(output::label_text("\n") == "\n");
  CHECK(output::label_text("\x1b[31m\xff\xe2\x80\xae") == "\\x1B[31m\\xFF\\u{202E}");
  CHECK(output::label_text(std::string(500, 'x')) == std::string(399, 'x') + "~");
}

TEST_CASE("sums stay exact and no counter falls, whatever comes and goes") {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    const auto below = [&random](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    MetricLimits limits;
    limits.min_age_s = 5;
    limits.max_series = 2 * kOwn + 10 * output::kSeriesPerWorkload;
    Trace trace(limits, 3);
    std::uint32_t next_netns = 2;
    std::map<std::pair<std::string, WorkloadLabels>, model::Counters> before;
    for (int step = 0; step < 300; ++step) {
      if (below(10) == 0) trace.netns(next_netns++, below(3) == 0 ? "" : "n" + std::to_string(below(4)));
      if (below(10) == 0) trace.head.namespaces[below(static_cast<std::uint32_t>(trace.infos.size()))].gone = true;
      for (std::uint32_t i = below(6); i > 0; --i) {
        const std::uint32_t slot = 1 + below(8);
        if (below(3) == 0 && trace.table.at(slot) != nullptr) trace.table.retire(slot);
        const model::Entry* known = trace.table.at(slot);
        const std::uint32_t netns =
            known != nullptr ? known->identity.netns : 1 + below(static_cast<std::uint32_t>(trace.infos.size()));
        trace.act(slot, made(below(50), below(5)), "s" + std::to_string(below(20)), netns);
      }
      trace.sample();
      model::Counters all;
      for (const auto& netns : trace.head.namespaces) all += netns.counts;
      model::Counters exported;
      std::size_t series = 0;
      for (const auto& [label, netns] : trace.fold.namespaces()) {
        REQUIRE(sum(netns) == netns.counts);
        REQUIRE(netns.kernel.created.value_or(0) == netns.counts.created());
        exported += netns.counts;
        const bool is_free = label == "host" || label == "other";
        series += (is_free ? 0 : kOwn) + (netns.workloads.size() - 1) * output::kSeriesPerWorkload;
        for (const auto& [who, workload] : netns.workloads) {
          model::Counters& last = before[{label, who}];
          REQUIRE(workload.counts.created() >= last.created());
          REQUIRE(workload.counts.overflow_fin_wait2 >= last.overflow_fin_wait2);
          last = workload.counts;
        }
      }
      REQUIRE(exported == all);
      REQUIRE(series <= limits.max_series);
    }
    CHECK(trace.fold.is_full());
    CHECK(before.size() > 10);
  }
}
