// SPDX-License-Identifier: Apache-2.0
// Tests each finding on both sides of its threshold.
#include "report/findings.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "support/catch.hpp"
#include "support/deploy.hpp"
#include "support/services.hpp"

using namespace twtrace;
using report::Finding;
using report::Severity;
using test::HandMade;
using test::made;

namespace {

/// A host with nothing to complain about: a large table, hardly used.
std::unique_ptr<HandMade> quiet() {
  auto recording = std::make_unique<HandMade>();
  model::CaptureInfo& info = recording->editable();
  info.settings_at_start.front().limit = 131072;
  info.settings_at_end = info.settings_at_start;
  recording->netns.limit = 131072;
  return recording;
}

std::vector<Finding> findings(HandMade& recording) {
  recording.editable().ended_unix_ms = recording.now_unix_ms();
  return report::build_report(recording, {}).value().findings;
}

std::optional<Finding> find(HandMade& recording, const std::string& id) {
  for (const Finding& finding : findings(recording)) {
    if (finding.id == id) return finding;
  }
  return std::nullopt;
}

void close_connections(HandMade& recording, const model::Counters& counts, std::uint64_t in_use) {
  recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, counts});
  recording.sample(in_use);
}

bool has(const std::string& whole, const std::string& part) { return whole.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a host in order has no findings") {
  const auto recording = quiet();
  close_connections(*recording, made(80), 80);
  CHECK(findings(*recording).empty());
}

TEST_CASE("the table is too small above 80%, and when it overflowed") {
  const auto below = quiet();
  below->netns.limit = 20000;
  close_connections(*below, made(1), 16000);
  CHECK(!find(*below, "table-too-small"));

  const auto above = quiet();
  above->netns.limit = 20000;
  close_connections(*above, made(1), 16001);
  const auto warning = find(*above, "table-too-small");
  REQUIRE(warning);
  CHECK(warning->severity == Severity::kWarning);

  const auto idle = quiet();
  idle->netns.limit = 20000;
  idle->sample(20000);
  CHECK(!find(*idle, "table-too-small"));

  const auto full = quiet();
  close_connections(*full, made(1, 0, 1), 1);
  const auto critical = find(*full, "table-too-small");
  REQUIRE(critical);
  CHECK(critical->severity == Severity::kCritical);
}

TEST_CASE("the size that is advised holds everything that wanted a place within the life of a bucket") {
  report::NetnsReport netns;
  netns.last.limit = 5000;
  netns.demand = {48'000, 4'000};  // x 1.25 = 65,000
  CHECK(report::needed_limit(netns) == 65536);
  netns.demand.older = 6'000;  // 67,500
  CHECK(report::needed_limit(netns) == 131072);
  netns.demand = {60, 0};
  CHECK(report::needed_limit(netns) == 16384);  // the table is never made small
  netns.in_use_peak = 60'000;
  CHECK(report::needed_limit(netns) == 131072);
  netns.last.counts.overflow_time_wait = 1;
  netns.refused_at = 200'000;  // was not enough
  CHECK(report::needed_limit(netns) == 262144);
  netns.refused_at = 2'147'483'646;
  CHECK(report::needed_limit(netns) == 2'147'483'647);
}

TEST_CASE("a table whose limit was raised since it was full needs no change") {
  const auto recording = quiet();
  recording->netns.limit = 500;
  close_connections(*recording, made(500, 0, 400), 500);
  recording->netns.limit = 65536;
  close_connections(*recording, made(100), 600);
  const auto raised = find(*recording, "table-too-small");
  REQUIRE(raised);
  CHECK(raised->text ==
        "netns host: the table of 500 was full; it needs room for at least 2,048; the limit is now 65,536, which is "
        "enough");
  CHECK(raised->severity == Severity::kNotice);
  CHECK_FALSE(has(raised->change, "sysctl"));

  recording->netns.limit = 1000;
  close_connections(*recording, made(0), 600);
  const auto too_little = find(*recording, "table-too-small");
  CHECK(too_little->text == "netns host: the table of 500 was full; it needs room for at least 2,048");
  CHECK(too_little->severity == Severity::kCritical);
  CHECK(has(too_little->change, "tcp_max_tw_buckets=16384"));
}

TEST_CASE("what no program saw counts in shares, and in the room that is advised") {
  const auto recording = quiet();
  recording->netns.limit = 20000;
  recording->netns.missed = {9000, 3000};
  close_connections(*recording, made(6000, 0, 1000), 6000);
  const auto table = find(*recording, "table-too-small");
  REQUIRE(table);
  CHECK(has(table->text, "it needs room for at least 32,768"));  // 19,000 + 25%
  CHECK(has(table->evidence.at(1), "7,000 buckets were requested; 12,000 more that no BPF program saw"));
  CHECK(table->evidence.back() == "4,000 refused (TcpExtTCPTimeWaitOverflow)");
  const auto refused = find(*recording, "refused");
  REQUIRE(refused);
  CHECK(has(refused->text, "(25% of all refusals)"));
  CHECK(refused->evidence.at(1) == "3,000 (75%): not known, because no BPF program saw them");
  const auto fills = find(*recording, "fills-table");
  REQUIRE(fills);
  CHECK(has(fills->text, "created 40% of all buckets"));

  const auto only_missed = quiet();
  only_missed->netns.limit = 500;
  only_missed->netns.missed = {0, 700};
  close_connections(*only_missed, made(300), 300);
  const auto full = find(*only_missed, "table-too-small");
  REQUIRE(full);
  CHECK(full->severity == Severity::kCritical);
  CHECK_FALSE(find(*only_missed, "refused"));  // by whom is not known
}

TEST_CASE("a table that was nearly full before its limit was raised needs no change") {
  const auto recording = quiet();
  recording->netns.limit = 500;
  close_connections(*recording, made(450), 450);
  recording->netns.limit = 65536;
  close_connections(*recording, made(200), 650);
  const auto raised = find(*recording, "table-too-small");
  REQUIRE(raised);
  CHECK(has(raised->text, "the table of 500 was nearly full; it needs room for at least 1,024; the limit is now"));
  CHECK(raised->evidence.at(0) == "in use 650 at most; 90% of the limit with 450");
  CHECK(raised->severity == Severity::kNotice);
}

TEST_CASE("resets that a place would have spared need no larger table if it was enlarged since") {
  const auto recording = quiet();
  recording->netns.limit = 500;
  model::Counters counts = made(500, 0, 0, 400);
  counts.peer_resets = counts.peer_resets_avoidable = 7;
  close_connections(*recording, counts, 500);
  CHECK(has(find(*recording, "peer-resets")->change, "tcp_max_tw_buckets"));
  recording->netns.limit = 65536;
  close_connections(*recording, made(0), 500);
  CHECK(find(*recording, "peer-resets")->change ==
        "none: the limit is now 65,536, which is enough; keep it across a reboot");
}

TEST_CASE("demand is what came within any 60 seconds, and what was there before while that reaches back to the start") {
  const auto recording = quiet();
  recording->netns.limit = 1000;
  close_connections(*recording, made(10), 710);  // 700 older ones
  for (int second = 2; second <= 60; ++second) close_connections(*recording, made(1), 700);
  for (int second = 61; second <= 100; ++second) close_connections(*recording, made(0, 0, 1), 700);
  const auto report = report::build_report(*recording, {}).value();
  CHECK(report.namespaces[0].demand.arrivals == 10 + 58);
  CHECK(report.namespaces[0].demand.older == 700);
  const auto finding = find(*recording, "table-too-small");
  REQUIRE(finding);
  CHECK(finding->text == "netns host: the table of 1,000 was full; it needs room for 1,024");
  CHECK(finding->evidence.at(2) ==
        "1,024 would do; twtrace never advises less than 16,384, because unused room costs no memory");
  CHECK(has(finding->change, "tcp_max_tw_buckets=16384"));
  CHECK(
      finding->evidence.at(1) ==
      "68 buckets were requested within 60 s, the life of a bucket; 700 were there before; 768 + 25%, rounded up to a "
      "power of two");
  for (int second = 101; second <= 110; ++second) close_connections(*recording, made(0, 0, 90), 700);
  CHECK(report::build_report(*recording, {}).value().namespaces[0].demand.wanted() == 50 + 900);
}

TEST_CASE("the advice of a larger table names the memory that it costs here") {
  const auto recording = test::deploy();
  recording->editable().bucket_bytes = 512;
  const auto finding = find(*recording, "table-too-small");
  REQUIRE(finding);
  CHECK(has(finding->change, "sysctl -w net.ipv4.tcp_max_tw_buckets=16384"));
  CHECK(has(finding->change, "/etc/sysctl.d/90-tcp.conf"));
  CHECK(has(finding->change, "8.0MiB"));
  CHECK(has(finding->text, "it needs room for at least 16,384"));
  CHECK(has(finding->evidence.at(1),
            "the capture lasted 30 s, and a bucket lives 60 s; 9,454 buckets were requested; 9,454 + 25%"));
}

TEST_CASE("another namespace is entered, whatever its name is") {
  for (const auto& [name, entry] :
       std::vector<std::pair<std::string, std::string>>{{"blue", "--net=/run/netns/blue "},
                                                        {"a b;$(x)", "--net='/run/netns/a b;$(x)' "},
                                                        {"", "--net=/proc/PID/ns/net "}}) {
    const auto recording = quiet();
    recording->netns.name = name;
    recording->namespaces.front().name = name;
    close_connections(*recording, made(1, 0, 1), 1);
    const auto finding = find(*recording, "table-too-small");
    REQUIRE(finding);
    INFO(finding->change);
    CHECK(has(finding->change, "nsenter " + entry + "sysctl -w"));
    CHECK(has(finding->command, "nsenter " + entry));
  }
}

TEST_CASE("the namespace of a container is entered through a process of it") {
  const auto remedy_in = [](const std::string& name) {
    const auto recording = quiet();
    recording->netns.name = name;
    recording->namespaces.front().name = name;
    model::Identity inside;
    inside.netns = 1;
    inside.comm = "httpd";
    inside.service = {"docker", "shop", "/docker/0123456789ab", {}, "0123456789ab"};
    recording->table.add(1, 1, inside);
    recording->editable().settings_at_end.front().name = name;
    recording->editable().settings_at_end.front().fin_timeout_s = 1;
    recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
        std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {900, 1000}, 1}});
    close_connections(*recording, made(1, 0, 1), 1);
    std::string remedies;
    for (const char* id : {"table-too-small", "ports-taken", "fin-timeout-lowered"}) {
      const auto finding = find(*recording, id);
      INFO(id);
      REQUIRE(finding);
      CHECK(finding->command.starts_with("nsenter "));
      remedies += finding->command + "; " + finding->change + "\n";
    }
    return remedies;
  };
  for (const char* container : {"shop", "shop/cart"}) {
    const std::string remedy = remedy_in(container);
    INFO(remedy);
    CHECK(has(remedy, "nsenter --net=/proc/PID/ns/net sysctl -w"));
    CHECK(has(remedy, "lsns -t net shows it for 4026531840"));
    CHECK_FALSE(has(remedy, "/run/netns"));
  }
  CHECK(has(remedy_in("blue"), "nsenter --net=/run/netns/blue sysctl -w"));
}

TEST_CASE("no remedy leads into a namespace that is gone") {
  const auto recording = quiet();
  recording->netns.name = "blue";
  recording->netns.kernel.listen_overflows = recording->netns.kernel.listen_drops = 5;
  recording->netns.missed = {1, 1};
  recording->editable().settings_at_end.front().limit = 1;
  recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {900, 1000}, 1}});
  close_connections(*recording, made(1, 0, 1), 1);
  recording->netns.gone = true;
  recording->sample(1);
  const auto report = report::build_report(*recording, {}).value();
  CHECK(report.findings.size() >= 5);
  for (const report::Finding& finding : report.findings) {
    INFO(finding.id << ": " << finding.command << "; " << finding.change);
    CHECK_FALSE(has(finding.command, "nsenter"));
    CHECK_FALSE(has(finding.change, "nsenter"));
  }
  const auto finding = find(*recording, "table-too-small");
  REQUIRE(finding);
  CHECK(has(finding->change, "the namespace is gone; for the next one, set it where the namespace is created"));
  CHECK(finding->command == "none: the namespace is gone, only this capture still tells");
}

TEST_CASE("who was refused is named, and worse at the FIN_WAIT2 stage") {
  const auto none = quiet();
  close_connections(*none, made(9), 9);
  CHECK(!find(*none, "refused"));

  const auto at_time_wait = quiet();
  close_connections(*at_time_wait, made(9, 0, 1, 0), 9);
  REQUIRE(find(*at_time_wait, "refused"));
  CHECK(find(*at_time_wait, "refused")->severity == Severity::kWarning);

  const auto at_fin_wait2 = quiet();
  close_connections(*at_fin_wait2, made(9, 0, 1, 1), 9);
  const auto finding = find(*at_fin_wait2, "refused");
  REQUIRE(finding);
  CHECK(finding->severity == Severity::kCritical);
  CHECK(finding->text ==
        "nginx of web.service (server :8080) closed first and was refused a place 2 times (100% of all "
        "refusals)");
  CHECK(has(finding->change, "in the server: let its clients close first"));
}

TEST_CASE("a client is told to keep its connections") {
  const auto recording = quiet();
  recording->act({1, "worker", "worker.service", model::Role::kClient, 6379, made(9, 0, 1)});
  recording->sample(9);
  CHECK(has(find(*recording, "refused")->change, "in the client: keep connections open (keep-alive, a pool)"));
}

TEST_CASE("nothing is said to be lost: the resets that followed are counted") {
  const auto evidence = [](bool seen) {
    const auto recording = quiet();
    recording->editable().probe.sees.resets_sent = seen;
    model::Counters counts = made(9, 0, 0, 4);
    counts.peer_resets = 3;
    close_connections(*recording, counts, 9);
    return find(*recording, "refused")->evidence.at(1);
  };
  CHECK(evidence(true) == "4 at the FIN_WAIT2 stage: peers that then close or send get a reset; so far 3 got one");
  CHECK(evidence(false) == "4 at the FIN_WAIT2 stage: peers that then close or send get a reset");
}

TEST_CASE("a program that ended with its connections is to drain them, one that runs on is not") {
  const auto change = [](std::uint64_t refused, bool exited, std::uint64_t before = 0) {
    const auto recording = quiet();
    for (int second = 0; second < 30; ++second) close_connections(*recording, made(before), 9);
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, made(0, 0, refused), 1, exited});
    recording->sample(9);
    return find(*recording, "refused")->change;
  };
  CHECK(has(change(100, true), "let connections finish (drain) before a restart"));
  CHECK(has(change(100, false), "let its clients close first"));
  CHECK_FALSE(has(change(9, true), "drain"));        // a process per request
  CHECK_FALSE(has(change(10, true, 100), "drain"));  // 3,000 came one by one before
  CHECK(has(change(10'000, true, 100), "drain"));
}

TEST_CASE("a program that ended when nobody used its connections is not told to drain them") {
  const auto finding = [](std::uint64_t peer_resets, std::uint64_t late, bool seen = true) {
    const auto recording = quiet();
    recording->editable().probe.sees.resets_sent = seen;
    model::Counters counts = made(0, 0, 100);
    counts.peer_resets = peer_resets;
    counts.resets_late = late;
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, counts, 1, true});
    recording->sample(9);
    return *find(*recording, "refused");
  };
  CHECK(has(finding(0, 0).change, "no peer was reset: restart one instance at a time"));
  CHECK_FALSE(has(finding(0, 0).change, "drain"));
  CHECK_FALSE(has(finding(0, 0).risk, "slowest connection"));
  CHECK(has(finding(1, 0).change, "let connections finish (drain) before a restart"));
  CHECK(has(finding(0, 1).change, "let connections finish (drain) before a restart"));
  CHECK(has(finding(0, 0, false).change, "let connections finish (drain) before a restart"));
}

TEST_CASE("a program that was restarted and serves again in the same row is to drain its connections") {
  const auto change = [](std::uint64_t at_the_end, std::uint64_t since) {
    const auto recording = quiet();
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, made(0, 0, at_the_end), 1, true});
    recording->sample(9);
    recording->act({2, "nginx", "web.service", model::Role::kServer, 8080, made(since)});
    recording->sample(9);
    return find(*recording, "refused")->change;
  };
  CHECK(has(change(100, 1), "let connections finish (drain) before a restart"));
  CHECK(has(change(100, 99), "let connections finish (drain) before a restart"));
  CHECK(has(change(100, 100), "let its clients close first"));  // it closes as many while it runs
}

TEST_CASE("a program that closes nothing any more is not taken for one that connects for every request") {
  const auto recorded = [](model::Role role, int quiet_s) {
    auto recording = std::make_unique<HandMade>();
    recording->act({1, "agent", "agent.service", role, 9000, made(4800, 0, 1)});
    recording->sample(4800);
    for (int second = 0; second < quiet_s; ++second) {
      recording->act({2, "cron", "cron.service", role, 9001, made(1)});
      recording->sample(4800);
    }
    return recording;
  };
  const auto change = [&](model::Role role, int quiet_s) { return find(*recorded(role, quiet_s), "refused")->change; };
  CHECK(change(model::Role::kClient, 1) == "in the client: keep connections open (keep-alive, a pool)");
  CHECK(change(model::Role::kClient, 2) ==
        "it closed nothing in the last 2 s: if it was drained, close a few connections at a time; if not, in the "
        "client: keep connections open (keep-alive, a pool)");
  CHECK(has(change(model::Role::kServer, 1), "in the server: let its clients close first"));
  CHECK(has(change(model::Role::kServer, 4), "it closed nothing in the last 2 s"));
  CHECK(has(change(model::Role::kServer, 9), "it closed nothing in the last 5 s"));
  CHECK(has(change(model::Role::kServer, 10), "it closed nothing in the last 10 s"));
  CHECK(has(find(*recorded(model::Role::kClient, 1), "fills-table")->text, "connects for every request"));
  CHECK_FALSE(has(find(*recorded(model::Role::kClient, 2), "fills-table")->text, "connects for every request"));
}

TEST_CASE("a short silence says something only of who closed so often that it is one") {
  const auto change = [](int every_s, int quiet_s) {
    HandMade recording;
    for (int second = 0; second < 60; ++second) {
      if (second % every_s == 0) {
        recording.act({1, "agent", "agent.service", model::Role::kServer, 9000, made(1, 0, second == 0 ? 1 : 0)});
      }
      recording.sample(static_cast<std::uint64_t>(second));
    }
    for (int second = 0; second < quiet_s; ++second) recording.sample(60);
    return find(recording, "refused")->change;
  };
  CHECK(has(change(1, 3), "in the server: let its clients close first"));
  CHECK_FALSE(has(change(1, 3), "it closed nothing"));
  CHECK(has(change(1, 5), "it closed nothing in the last 5 s"));
  CHECK_FALSE(has(change(2, 8), "it closed nothing"));
  CHECK(has(change(2, 9), "it closed nothing in the last 10 s"));
}

TEST_CASE("a client that ended is to drain only if it came back") {
  const auto change = [](const model::Row& other) {
    const auto recording = quiet();
    recording->act({1, "agent", "agent.service", model::Role::kClient, 9000, made(0, 0, 100), 1, true});
    if (other.process) {
      recording->act(
          {2, other.process->comm, other.service->name, model::Role::kClient, 9001, made(1), 1, other.process->exited});
    }
    recording->sample(9);
    return find(*recording, "refused")->change;
  };
  const auto other = [](const char* comm, const char* service, bool exited = false) {
    model::Row row;
    row.process.emplace().comm = comm;
    row.process->exited = exited;
    row.service.emplace().name = service;
    return row;
  };
  // A benchmark that is done, or a fleet that was drained.
  const std::string keep =
      "the process has ended; wherever it runs next, keep connections open (keep-alive, a pool); if it was stopped or "
      "drained while many were open, stop a few instances at a time";
  CHECK(change({}) == keep);
  CHECK(has(change(other("agent", "agent.service", true)), keep));
  CHECK(has(change(other("agent", "other.service")), keep));
  CHECK(has(change(other("curl", "agent.service")), keep));
  CHECK(has(change(other("agent", "agent.service")), "let connections finish (drain) before a restart"));
}

TEST_CASE("a proxy that ended is to drain the connections that it made, too") {
  const auto refused = [](model::Role role, std::uint32_t process) {
    const auto recording = quiet();
    recording->act({1, "haproxy", "proxy.service", model::Role::kClient, 6379, made(0, 0, 100), 1, true});
    recording->act({2, "haproxy", "proxy.service", role, 6380, made(1), 1, true, process});
    recording->sample(9);
    return *find(*recording, "refused");
  };
  CHECK(has(refused(model::Role::kServer, 1).change, "let connections finish (drain) before a restart"));
  CHECK(has(refused(model::Role::kServer, 1).risk, "waits for the slowest connection"));
  CHECK(has(refused(model::Role::kClient, 1).change, "keep connections open"));
  CHECK(has(refused(model::Role::kClient, 1).risk, "cap the pool"));
  CHECK(has(refused(model::Role::kServer, 2).change, "keep connections open"));  // another process
}

TEST_CASE("peers that were reset: how many a place in the table would have spared") {
  const auto of = [](std::uint64_t all, std::uint64_t avoidable) {
    const auto recording = quiet();
    model::Counters counts = made(9, 0, 0, 200);
    counts.peer_resets = all;
    counts.peer_resets_avoidable = avoidable;
    close_connections(*recording, counts, 9);
    return find(*recording, "peer-resets");
  };
  CHECK_FALSE(of(0, 0));
  const auto some = of(100, 50);
  REQUIRE(some);
  CHECK(some->severity == Severity::kCritical);
  CHECK(some->text ==
        "100 resets went to the peers of connections that had been refused a place in the table; a place would have "
        "avoided 50");
  CHECK(some->evidence ==
        std::vector<std::string>{"100 (100%): nginx of web.service (server :8080)",
                                 "50 answered data that came after the close, which is reset in any case"});
  CHECK(has(some->change, "sysctl -w net.ipv4.tcp_max_tw_buckets=262144"));
  const auto none = of(100, 0);
  CHECK(none->severity == Severity::kWarning);
  const std::string one =
      "1 reset went to the peer of a connection that had been refused a place in the table; a place would ";
  CHECK(of(1, 1)->text == one + "have avoided it");
  CHECK(of(1, 0)->text == one + "not have avoided it");
  CHECK(has(none->text, "avoided none of them"));
  CHECK_FALSE(has(none->change, "tcp_max_tw_buckets"));
}

TEST_CASE("resets that programs noticed are the table's only where it sent some") {
  const auto of = [](std::uint64_t felt, std::uint64_t of_table, bool seen = true, std::uint64_t forgotten = 0) {
    const auto recording = quiet();
    recording->editable().probe.sees.resets_sent = seen;
    recording->head.lost.refused_full = forgotten;
    model::Counters counts = made(9);
    counts.resets_received = felt + 2;
    counts.resets_felt = felt;
    counts.peer_resets = counts.peer_resets_avoidable = of_table;
    close_connections(*recording, counts, 9);
    return find(*recording, "resets-felt");
  };
  CHECK_FALSE(of(0, 1));
  CHECK(of(5, 0)->severity == Severity::kNotice);
  CHECK(of(5, 0)->text ==
        "5 of 7 resets that this host received hit a socket that a process still used; a larger table here would have "
        "avoided none of them");
  CHECK(has(of(5, 3)->text, "would have avoided 3 resets"));
  CHECK(of(5, 3)->severity == Severity::kWarning);
  CHECK(has(of(5, 0, false)->text, "it is not known"));
  CHECK(has(of(5, 0, true, 1)->text, "it is not known"));
  CHECK(has(of(5, 3, true, 1)->text, "would have avoided at least 3 resets"));
}

TEST_CASE("no finding about some namespaces of a host speaks of all its tables") {
  const auto recording = quiet();
  recording->editable().probe.sees.resets_sent = true;
  recording->more.resize(1);
  recording->more[0].id = 2;
  recording->more[0].netns = 7;
  recording->more[0].name = "blue";
  recording->more[0].counts.peer_resets = recording->more[0].counts.peer_resets_avoidable = 5;
  model::Counters counts = made(9);
  counts.resets_received = counts.resets_felt = 5;
  const auto of_host = [&] {
    close_connections(*recording, counts, 9);
    recording->editable().ended_unix_ms = recording->now_unix_ms();
    return report::build_report(*recording, {}, report::Partial::kFails,
                                {view::parse_selector("netns=host", view::Grammar::kFilter).value(), "netns=host"})
        .value();
  };
  const report::Report none = of_host();
  CHECK(has(none.findings.back().text, "a larger table in the namespaces of this report would have avoided none"));
  CHECK(has(report::headline(none), "no table in this report caused any of them"));
  CHECK_FALSE(has(report::headline(none), "this host's table"));
  CHECK(has(find(*recording, "resets-felt")->text, "a larger table here would have avoided 5 resets"));
  counts.peer_resets = counts.peer_resets_avoidable = 3;
  const report::Report some = of_host();
  const auto felt = std::find_if(some.findings.begin(), some.findings.end(),
                                 [](const Finding& finding) { return finding.id == "resets-felt"; });
  REQUIRE(felt != some.findings.end());
  CHECK(has(felt->text, "a larger table here would have avoided at least 3 resets"));
}

TEST_CASE("a program that resets its connections is a finding from ten on") {
  const auto of = [](std::uint64_t aborted) {
    const auto recording = quiet();
    model::Counters counts = made(9);
    counts.resets_aborted = aborted;
    close_connections(*recording, counts, 9);
    return find(*recording, "aborts");
  };
  CHECK_FALSE(of(9));
  REQUIRE(of(10));
  CHECK(of(10)->text == "nginx of web.service (server :8080) ended 10 connections with a reset");
  CHECK(has(of(10)->change, "SO_LINGER"));
}

TEST_CASE("what to trace is a process that runs, or the program of one that has ended") {
  const auto command = [](bool exited) {
    const auto recording = quiet();
    model::Counters counts = made(9);
    counts.resets_aborted = 10;
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, counts, 1, exited});
    recording->sample(9);
    return find(*recording, "aborts")->command;
  };
  CHECK(command(false) == "strace -f -e trace=close,shutdown,setsockopt -p 101");
  CHECK(command(true) == "strace -f -e trace=close,shutdown,setsockopt PROGRAM, when it runs again: it has ended");
}

TEST_CASE("connects without a port: wider where ports can be had, more addresses where not") {
  const auto of = [](std::uint64_t failed, std::uint64_t usable, const std::string& name = "host") {
    const auto recording = quiet();
    recording->netns.name = name;
    recording->editable().settings_at_end.front().ephemeral_ports = usable;
    model::Counters counts = made(9);
    counts.no_port = failed;
    recording->act({1, "php-fpm", "php.service", model::Role::kClient, 8081, counts});
    recording->sample(9);
    return find(*recording, "no-port");
  };
  CHECK_FALSE(of(0, 1001));
  const auto narrow = of(148, 1001);
  REQUIRE(narrow);
  CHECK(narrow->severity == Severity::kCritical);
  CHECK(narrow->text ==
        "connect() found no free local port 148 times, most often in php-fpm of php.service (client :8081)");
  CHECK(narrow->evidence.at(1) == "netns host has 1,001 ports for connections to one destination");
  CHECK(narrow->evidence.size() == 2);  // nothing is said of how many were free, because nobody counted
  CHECK(narrow->command == "ss -tan 'dport = :8081' | wc -l");
  CHECK(has(narrow->change,
            "sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\" (to keep it, put "
            "net.ipv4.ip_local_port_range = 1024 65535 into /etc/sysctl.d/90-tcp.conf)"));
  CHECK(has(of(148, 1001, "blue")->change, "docker run --sysctl net.ipv4.ip_local_port_range=\"1024 65535\""));
  CHECK_FALSE(has(of(148, 64512)->change, "ip_local_port_range"));
  CHECK(has(of(148, 64512)->change, "more addresses"));
}

TEST_CASE("connects without a port: a client with a range of its own is not told to widen the namespace's") {
  const auto of = [](std::optional<model::PortRange> own, const model::Use& ports) {
    const auto recording = quiet();
    recording->editable().settings_at_end.front().ephemeral_ports = 28232;
    model::PortUse use{4026531840U, {"10.0.0.9", std::uint16_t{8081}}, ports, 1, 0, 0, 0, own};
    recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{use});
    model::Counters counts = made(9);
    counts.no_port = 148;
    recording->act({1, "php-fpm", "php.service", model::Role::kClient, 8081, counts});
    recording->sample(9);
    return std::pair(find(*recording, "no-port"), find(*recording, "ports-taken"));
  };
  const auto [no_port, taken] = of(model::PortRange{40000, 40009}, {10, 10});
  REQUIRE(no_port);
  CHECK(has(no_port->evidence.back(), "towards 10.0.0.9 at most 10 of 10 ports of the range"));
  CHECK(has(no_port->evidence.back(), "40000 to 40009"));
  CHECK(has(no_port->change, "IP_LOCAL_PORT_RANGE"));
  CHECK_FALSE(has(no_port->change, "sysctl"));
  REQUIRE(taken);
  CHECK(has(taken->text, "100% of the local ports 40000 to 40009 towards 10.0.0.9 port 8081 were taken"));
  CHECK_FALSE(has(taken->change, "sysctl"));
  // Where no such range was seen, the namespace's is not said to be full, nor the client to have one.
  const auto [unclear, none] = of(std::nullopt, {14115, 28232});
  CHECK(has(unclear->evidence.back(), "most of these were free whenever they were counted"));
  CHECK_FALSE(none);
  CHECK(has(of(std::nullopt, {0, 28232}).first->evidence.back(), "free whenever they were counted"));
  CHECK_FALSE(has(of(std::nullopt, {14116, 28232}).first->evidence.back(), "free"));
}

TEST_CASE("binds without a port are told apart from connects") {
  const auto recording = quiet();
  recording->editable().settings_at_end.front().ephemeral_ports = 1001;
  model::Counters counts;
  counts.no_port = counts.no_port_bind = 25;
  recording->act({1, "php-fpm", "php.service", model::Role::kClient, 0, counts});
  recording->sample(9);
  CHECK_FALSE(find(*recording, "no-port"));
  const auto finding = find(*recording, "no-port-bind");
  REQUIRE(finding);
  CHECK(finding->severity == Severity::kCritical);
  CHECK(finding->text ==
        "bind() to port 0 found no free local port 25 times, most often in php-fpm of php.service (client :*)");
  CHECK(finding->evidence.at(1) == "netns host has 1,001 ports for bind(), whatever the destination");
  CHECK(has(finding->change, "IP_BIND_ADDRESS_NO_PORT"));
  CHECK_FALSE(has(finding->change, "ip_local_port_range"));
  counts.no_port += 7;
  recording->act({1, "php-fpm", "php.service", model::Role::kClient, 0, counts});
  recording->sample(9);
  CHECK(has(find(*recording, "no-port")->text, "connect() found no free local port 7 times"));
}

TEST_CASE("no memory is not the table's fault") {
  const auto recording = quiet();
  model::Counters counts = made(9);
  counts.no_memory = 1;
  close_connections(*recording, counts, 9);
  const auto finding = find(*recording, "no-memory");
  REQUIRE(finding);
  CHECK(finding->severity == Severity::kCritical);
  CHECK(!find(*recording, "table-too-small"));
}

TEST_CASE("who fills the table is named from a tenth on, where it was nearly full") {
  const auto capture = [](std::uint64_t of_nginx, std::uint64_t in_use) {
    auto recording = quiet();
    recording->netns.limit = 20000;
    model::Counters counts = made(of_nginx);
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, counts});
    for (std::uint32_t slot = 2; slot < 13; ++slot) {  // eleven others, none with a tenth
      recording->act({slot, "other", "s" + std::to_string(slot), model::Role::kServer, 1, made(82)});
    }
    recording->sample(in_use);
    return recording;
  };
  REQUIRE(find(*capture(101, 16001), "fills-table"));
  CHECK(has(find(*capture(101, 16001), "fills-table")->text, "nginx of web.service (server :8080) created 10%"));
  CHECK(!find(*capture(100, 16001), "fills-table"));
  CHECK(!find(*capture(900, 16000), "fills-table"));
}

TEST_CASE("ports towards a destination are a finding from half of them on") {
  const auto capture = [](std::uint64_t taken, std::uint64_t timestamps = 1) {
    auto recording = quiet();
    recording->editable().settings_at_end.front().timestamps = timestamps;
    recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
        std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {taken, 1000}, 1}});
    recording->sample(1);
    return recording;
  };
  CHECK(!find(*capture(499), "ports-taken"));
  CHECK(find(*capture(500), "ports-taken")->severity == Severity::kWarning);
  CHECK(find(*capture(899), "ports-taken")->severity == Severity::kWarning);
  CHECK(find(*capture(900), "ports-taken")->severity == Severity::kCritical);
  CHECK(has(find(*capture(900), "ports-taken")->text, "EADDRNOTAVAIL"));
  CHECK(has(find(*capture(900), "ports-taken")->text, "10.0.0.9 port 6379"));
  CHECK(has(find(*capture(900, 0), "ports-taken")->change, "net.ipv4.tcp_timestamps=1"));
  CHECK(has(find(*capture(900, 0), "ports-taken")->change, "net.ipv4.tcp_tw_reuse=1"));
  CHECK_FALSE(has(find(*capture(900), "ports-taken")->change, "tcp_timestamps"));
}

TEST_CASE("ports towards loopback need tcp_tw_reuse=2, others 1, and no report advises both") {
  const auto capture = [](std::optional<std::uint64_t> reuse, std::initializer_list<const char*> destinations,
                          std::uint64_t timestamps = 1) {
    auto recording = quiet();
    model::NetnsSettings& settings = recording->editable().settings_at_end.front();
    settings.tw_reuse = reuse;
    settings.timestamps = timestamps;
    settings.ephemeral_ports = 1000;
    auto ports = std::make_shared<std::vector<model::PortUse>>();
    for (const char* address : destinations) {
      ports->push_back({4026531840U, {address, std::uint16_t{6379}}, {900, 1000}, 1});
    }
    recording->head.port_use = ports;
    recording->sample(1);
    return recording;
  };
  const auto advised = [&](HandMade& recording) {
    std::set<std::string> values;
    for (const Finding& finding : findings(recording)) {
      constexpr std::string_view kSetting = "net.ipv4.tcp_tw_reuse=";
      const std::size_t at = finding.change.find(kSetting);
      if (at != std::string::npos) values.insert(finding.change.substr(at + kSetting.size(), 1));
    }
    return values;
  };
  using Values = std::set<std::string>;
  CHECK(advised(*capture(0, {})) == Values{"2"});  // tw-reuse-off
  for (const char* loopback : {"127.0.0.1", "127.1.2.3", "::1"}) {
    CHECK(advised(*capture(0, {loopback})) == Values{"2"});
    CHECK_FALSE(find(*capture(0, {loopback}), "tw-reuse-off"));
    CHECK(has(find(*capture(0, {loopback}), "ports-taken")->risk, "reuses a port on loopback"));
  }
  CHECK(advised(*capture(0, {"10.0.0.9"})) == Values{"1"});
  CHECK(advised(*capture(2, {"10.0.0.9"})) == Values{"1"});
  CHECK(advised(*capture(0, {"127.0.0.1", "10.0.0.9"})) == Values{"1"});
  CHECK(advised(*capture({}, {"127.0.0.1"})) == Values{"2"});
  // What is set already is no remedy.
  CHECK(advised(*capture(1, {"10.0.0.9"})).empty());
  CHECK(advised(*capture(2, {"127.0.0.1"})).empty());
  CHECK(advised(*capture(1, {"127.0.0.1"})).empty());
  const auto on = find(*capture(2, {"127.0.0.1"}), "ports-taken");
  CHECK(has(on->evidence.back(), "tcp_tw_reuse is 2 already"));
  CHECK(has(on->change, "ip_local_port_range"));
  CHECK(advised(*capture(2, {"127.0.0.1"}, 0)).empty());
  CHECK(has(find(*capture(2, {"127.0.0.1"}, 0), "ports-taken")->change,
            "until then sysctl -w net.ipv4.tcp_timestamps=1"));
}

TEST_CASE("a client that binds before it connects is named if most of the ports are of bind()") {
  struct Case {
    std::uint64_t taken, bound, bound_to;
  };
  const auto capture = [](const Case& of) {
    auto recording = quiet();
    model::PortUse use{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {of.taken, 1000}, 1, of.bound, of.bound_to, 0};
    model::PortUse other = use;  // the same ports, fewer connections
    other.destination.port = std::uint16_t{443};
    other.bound_to = of.bound_to / 2;
    recording->act({7, "php-fpm", "php.service", model::Role::kClient, 6379, made(9)});
    const model::PeerKey peer{model::folded(recording->table.at(7)->identity), use.destination};
    for (int i = 0; i < 9; ++i) recording->peers.count(peer, model::Event{});
    recording->head.port_use =
        std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{std::move(other), std::move(use)});
    recording->sample(1);
    return recording;
  };
  const auto finding = find(*capture({900, 800, 500}), "bind-before-connect");
  REQUIRE(finding);
  CHECK(finding->severity == Severity::kCritical);
  CHECK(has(finding->text, "php-fpm of php.service (client :6379) calls bind() before connect()"));
  CHECK(has(finding->text, "800 of 1,000 local ports of netns host"));
  CHECK(has(finding->evidence.at(0), "500 of these ports were connected to 10.0.0.9 port 6379"));
  CHECK(has(finding->change, "IP_BIND_ADDRESS_NO_PORT"));
  CHECK(find(*capture({899, 800, 500}), "bind-before-connect")->severity == Severity::kWarning);
  CHECK(find(*capture({500, 250, 250}), "bind-before-connect"));
  CHECK_FALSE(find(*capture({499, 499, 499}), "bind-before-connect"));  // enough ports are free
  CHECK_FALSE(find(*capture({501, 250, 250}), "bind-before-connect"));  // connect() chose most
  CHECK_FALSE(find(*capture({900, 900, 0}), "bind-before-connect"));    // no client did it
  // As many connections to it have a port that connect() chose: its client may be another one.
  const auto unnamed = find(*capture({900, 800, 100}), "bind-before-connect");
  REQUIRE(unnamed);
  CHECK(has(unnamed->text, "a client of 10.0.0.9 port 6379 calls bind()"));
  // Who reuses ports after a second is connect(), so that advice is not for these ports.
  CHECK(has(find(*capture({900, 800, 500}), "ports-taken")->change, "IP_BIND_ADDRESS_NO_PORT"));
  CHECK(has(find(*capture({900, 800, 500}), "ports-taken")->evidence.at(1), "bind() took 800 of them"));
  CHECK(has(find(*capture({900, 300, 300}), "ports-taken")->change, "tcp_tw_reuse"));
}

TEST_CASE("ports that are only bound are a finding, where no destination shows them") {
  const auto capture = [](std::uint64_t taken, std::uint64_t bound, bool connected, const model::Counters& counts) {
    auto recording = quiet();
    recording->editable().settings_at_end.front().ephemeral_ports = 600;
    model::PortUse pool{4026531840U, {}, {taken, 600}, 1, bound, 0, 0};
    std::vector<model::PortUse> all{pool};
    if (connected) {
      all.push_back({4026531840U, {"10.0.0.9", std::uint16_t{80}}, {bound + 50, 600}, 1, bound, 0, 0});
    }
    recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(std::move(all));
    recording->act({1, "node", "node.service", model::Role::kClient,
                    static_cast<std::uint16_t>(counts.no_port_bind != 0 ? 0 : 443), counts});
    recording->sample(1);
    return recording;
  };
  const auto taken = find(*capture(600, 560, false, {}), "ports-taken");
  REQUIRE(taken);
  CHECK(taken->severity == Severity::kCritical);
  CHECK(has(taken->text, "bind() took 93% of the local ports of netns host: connect() can choose these for no"));
  CHECK(has(taken->evidence.at(0), "at most 560 of 600"));
  CHECK(has(taken->change, "IP_BIND_ADDRESS_NO_PORT"));
  CHECK_FALSE(find(*capture(600, 299, false, {}), "ports-taken"));
  const auto towards = find(*capture(600, 500, true, {}), "ports-taken");
  REQUIRE(towards);
  CHECK(has(towards->text, "91% of the local ports towards 10.0.0.9 port 80"));
  CHECK(
      has(towards->evidence.at(1), "500 of them for connections to other destinations, listening sockets, or sockets"));
  model::Counters failed;
  failed.no_port = failed.no_port_bind = 7;
  const auto bind = find(*capture(600, 500, false, failed), "no-port-bind");
  REQUIRE(bind);
  CHECK(has(bind->evidence.back(), "at most 600 of 600 were taken at one time, 500 of them by bind()"));
  failed.no_port_bind = 0;
  const auto connect = find(*capture(600, 600, false, failed), "no-port");
  REQUIRE(connect);
  CHECK(has(connect->change, "IP_BIND_ADDRESS_NO_PORT"));
  CHECK(has(connect->evidence.back(), "bind() had taken 600 of 600: connect() can choose these for no destination"));
}

TEST_CASE("the first sentence says towards what no local port was left") {
  const auto headline = [](std::uint64_t taken) {
    auto recording = quiet();
    recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
        std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {taken, 1000}, 1}});
    recording->sample(1);
    recording->editable().ended_unix_ms = recording->now_unix_ms();
    return report::headline(report::build_report(*recording, {}).value());
  };
  CHECK(has(headline(1000), "no local port was left towards 10.0.0.9:6379; nothing was refused"));
  CHECK_FALSE(has(headline(999), "local port"));
}

TEST_CASE("FIN_WAIT2 is a finding from a fifth and a hundred on") {
  const auto capture = [](std::uint64_t time_wait, std::uint64_t fin_wait2) {
    auto recording = quiet();
    close_connections(*recording, made(time_wait, fin_wait2), 1);
    return recording;
  };
  CHECK(!find(*capture(0, 99), "fin-wait2-share"));
  CHECK(find(*capture(0, 100), "fin-wait2-share"));
  CHECK(find(*capture(400, 100), "fin-wait2-share"));
  CHECK(!find(*capture(401, 100), "fin-wait2-share"));
}

TEST_CASE("FIN_WAIT2 of processes that ended with their connections says nothing about the other end") {
  const auto finding = [](std::uint64_t at_the_end, bool exited, std::uint64_t others, bool came_back = false) {
    const auto recording = quiet();
    recording->act({1, "redis-server", "redis.service", model::Role::kServer, 6379, made(0, at_the_end), 1, exited});
    recording->act({2, "nginx", "web.service", model::Role::kServer, 8080, made(0, others)});
    recording->sample(9);
    // The new process is part of the same row.
    if (came_back) recording->act({3, "redis-server", "redis.service", model::Role::kServer, 6379, made(1)});
    recording->sample(9);
    return find(*recording, "fin-wait2-share");
  };
  CHECK_FALSE(finding(500, true, 0));
  CHECK_FALSE(finding(500, true, 0, true));
  CHECK_FALSE(finding(500, true, 99, true));
  CHECK(finding(500, false, 0));  // it runs on
  const auto both = finding(300, true, 100);
  REQUIRE(both);
  CHECK(has(both->text, "25% of all buckets"));
  CHECK(both->evidence.back() ==
        "300 of these are left out of the share: their process ended, and its connections with it");
}

TEST_CASE("FIN_WAIT2 of a process that closed like that all its life is a finding, though it has ended") {
  const auto recording = quiet();
  for (int second = 0; second < 30; ++second) {
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, made(0, 20), 1, second == 29});
    recording->sample(9);
  }
  CHECK(find(*recording, "fin-wait2-share"));
}

TEST_CASE("listen queues that overflowed, and attempts that were dropped otherwise") {
  const auto capture = [](std::uint64_t overflows, std::uint64_t drops) {
    auto recording = quiet();
    recording->netns.kernel.listen_overflows = overflows;
    recording->netns.kernel.listen_drops = drops;
    recording->sample(1);
    return recording;
  };
  CHECK(!find(*capture(0, 0), "listen-queue"));
  const auto overflowed = find(*capture(1, 1), "listen-queue");
  REQUIRE(overflowed);
  CHECK(overflowed->severity == Severity::kCritical);
  CHECK(has(overflowed->change, "net.core.somaxconn=8192"));
  CHECK(has(overflowed->evidence.at(1), "net.core.somaxconn 4,096, net.ipv4.tcp_max_syn_backlog 512"));
  const auto dropped = find(*capture(0, 1), "listen-queue");
  REQUIRE(dropped);
  CHECK(dropped->severity == Severity::kWarning);
  CHECK(has(dropped->change, "net.ipv4.tcp_max_syn_backlog=4096"));
}

TEST_CASE("a finding about listen queues names the queues, and says what limits the one that dropped most") {
  const auto capture = [](std::uint64_t limit, std::uint64_t overflows = 25, std::uint64_t missed = 0) {
    auto recording = quiet();
    recording->netns.kernel.listen_overflows = overflows;
    recording->netns.kernel.listen_drops = 25;
    recording->netns.missed.queue_drops = missed;
    for (const std::uint64_t length : {limit + 1, limit / 2}) {  // the longest is what counts
      auto queues = std::make_shared<std::vector<model::ListenQueue>>();
      for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{443}}) {
        model::ListenQueue queue;
        queue.netns = 4026531840U;
        queue.netns_id = 1;
        queue.port = port;
        queue.service = test::shared_service("nginx.service");
        queue.queue = {length, limit};
        queue.drops = port == 443 ? 20 : 5;
        queues->push_back(queue);
      }
      recording->head.queues = std::move(queues);
      recording->sample(1);
    }
    return recording;
  };
  const auto short_backlog = find(*capture(511), "listen-queue");
  REQUIRE(short_backlog);
  CHECK(short_backlog->text ==
        "netns host: nginx.service :443 dropped 20 connection attempts; its accept queue was full, queue 512/511");
  CHECK(short_backlog->evidence.at(2) == "nginx.service :443: 20 dropped, longest queue 512/511");
  CHECK(short_backlog->evidence.at(3) == "nginx.service :80: 5 dropped, longest queue 512/511");
  CHECK(has(short_backlog->change, "raise the backlog that nginx.service :443 passes to listen(), which is 511"));
  CHECK(has(short_backlog->change, "net.core.somaxconn allows up to 4,096"));
  const auto low_somaxconn = find(*capture(4096), "listen-queue");
  CHECK(has(low_somaxconn->change, "net.core.somaxconn=8192"));
  CHECK(has(low_somaxconn->change, "it limits the queue of nginx.service :443 to 4,096"));
  const auto syn_queue = find(*capture(511, 0), "listen-queue");
  CHECK(has(syn_queue->text, "dropped 20 connection attempts; no accept queue was full"));
  CHECK(has(syn_queue->change, "net.ipv4.tcp_max_syn_backlog"));
  CHECK(short_backlog->evidence.size() == 4);
  CHECK(find(*capture(511, 25, 7), "listen-queue")->evidence.back() ==
        "7 were dropped by sockets that are not known: no BPF program saw them");
  const auto report = report::build_report(*capture(511), {}).value();
  CHECK(report::headline(report).starts_with(
      "25 connection attempts were dropped at a listening socket, 20 of nginx.service :443; "));
  REQUIRE(report.queues.size() == 2);
  CHECK(report.queues[0].port == 443);
  REQUIRE(report.troubles.size() == 2);
  CHECK(report.troubles[0].kind == model::Trouble::Kind::kQueue);
  CHECK(report.troubles[0].queue->queue.taken == 512);
}

TEST_CASE("settings: what the doctor says, with risk and what not to do") {
  const auto capture = [](const std::function<void(model::NetnsSettings&)>& change) {
    auto recording = quiet();
    change(recording->editable().settings_at_end.front());
    recording->sample(1);
    return recording;
  };
  CHECK(!find(*capture([](auto& host) { host.fin_timeout_s = 60; }), "fin-timeout-lowered"));
  const auto finding = find(*capture([](auto& host) { host.fin_timeout_s = 59; }), "fin-timeout-lowered");
  REQUIRE(finding);
  CHECK(has(finding->text, "this shortens only FIN_WAIT2"));
  CHECK(has(finding->change, "net.ipv4.tcp_fin_timeout=60"));
  CHECK(!finding->risk.empty());
  CHECK(!finding->avoid.empty());
  CHECK(find(*capture([](auto& host) { host.limit = 131071; }), "limit-below-default"));
  CHECK(find(*capture([](auto& host) { host.tw_reuse = 0; }), "tw-reuse-off"));
  CHECK(find(*capture([](auto& host) { host.timestamps = 0; }), "timestamps-off"));
  CHECK(!find(*capture([](auto& host) { host.timestamps = 2; }), "timestamps-off"));

  const auto differing = quiet();
  model::NetnsSettings blue = HandMade::settings();
  blue.netns_id = 2;
  blue.netns = 4026532000U;
  blue.name = "blue";
  blue.limit = 65536;
  blue.default_limit = 65536;
  differing->editable().settings_at_end.push_back(blue);
  differing->sample(1);
  CHECK(find(*differing, "limit-not-inherited"));
  // The check shows the number of the namespace that is to be changed, whether or not a sample has it.
  CHECK(find(*differing, "limit-not-inherited")->command ==
        "nsenter --net=/run/netns/blue sysctl net.ipv4.tcp_max_tw_buckets");
  // If the table there was too small, the findings about it say the same number.
  model::NetnsRow full;
  full.id = 2;
  full.netns = blue.netns;
  full.name = "blue";
  full.limit = 65536;
  full.in_use = 65536;
  full.counts = made(65536, 0, 99);
  differing->more = {full};
  differing->sample(1);
  const auto small = find(*differing, "table-too-small");
  const auto differs = find(*differing, "limit-not-inherited");
  REQUIRE(small);
  REQUIRE(differs);
  CHECK(has(differs->change, small->change));
  CHECK(differs->command == "nsenter --net=/run/netns/blue sysctl net.ipv4.tcp_max_tw_buckets");
}

TEST_CASE("a low limit is not told twice of a table that was too small") {
  const auto recording = test::deploy();
  CHECK(find(*recording, "table-too-small"));
  CHECK(!find(*recording, "limit-below-default"));
}

TEST_CASE("a limit that changed is told with its values") {
  const auto same = quiet();
  same->sample(1);
  same->sample(1);
  CHECK(!find(*same, "limit-changed"));
  const auto changed = quiet();
  changed->sample(1);
  changed->netns.limit = 5000;
  changed->sample(1);
  const auto finding = find(*changed, "limit-changed");
  REQUIRE(finding);
  CHECK(finding->evidence.at(0) == "seen: 131,072, then 5,000");
}

TEST_CASE("what was missed and lost is a finding when it is not 0") {
  const auto complete = quiet();
  close_connections(*complete, made(9), 9);
  CHECK(!find(*complete, "missed"));
  CHECK(!find(*complete, "lost"));
  const auto missed = quiet();
  missed->netns.missed.created = 1;
  close_connections(*missed, made(9), 9);
  CHECK(has(find(*missed, "missed")->text, "1 created and 0 refused that no BPF program of twtrace saw"));
  const auto lost = quiet();
  lost->head.lost.events = 1;
  close_connections(*lost, made(9), 9);
  CHECK(find(*lost, "lost")->severity == Severity::kNotice);
  const auto lost_counts = quiet();
  lost_counts->head.lost.counts = 1;
  close_connections(*lost_counts, made(9), 9);
  CHECK(find(*lost_counts, "lost")->severity == Severity::kWarning);
}

TEST_CASE("no finding advises what does harm, and each says risk and what not to do") {
  auto recording = test::deploy();
  recording->editable().settings_at_end.front().fin_timeout_s = 10;
  recording->editable().settings_at_end.front().tw_reuse = 0;
  recording->netns.missed.created = 3;
  recording->head.lost.events = 3;
  recording->sample(4000);
  const auto all = findings(*recording);
  CHECK(all.size() >= 8);
  for (const Finding& finding : all) {
    INFO(finding.id);
    CHECK(!finding.text.empty());
    CHECK(!finding.command.empty());
    CHECK(!finding.change.empty());
    CHECK(!finding.risk.empty());
    CHECK(!finding.avoid.empty());
    CHECK(!has(finding.change, "tcp_tw_recycle"));
    CHECK((!has(finding.change, "tcp_fin_timeout=") || has(finding.change, "tcp_fin_timeout=60")));
  }
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const Finding& left, const Finding& right) { return left.severity < right.severity; }));
}
