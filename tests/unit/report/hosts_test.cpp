// SPDX-License-Identifier: Apache-2.0
#include "report/hosts.hpp"

#include "support/catch.hpp"
#include "support/deploy.hpp"

using namespace twtrace;
using model::Role;
using test::HandMade;
using test::made;

namespace {

report::Host host(HandMade& recording, const char* name, const char* file, const char* budget = nullptr) {
  recording.editable().host.name = name;
  std::vector<report::Budget> budgets;
  if (budget != nullptr) budgets.push_back(report::parse_budget(budget).value());
  return {{}, file, report::build_report(recording, budgets).value()};
}

report::Host quiet(const char* name, const char* file, const char* budget = nullptr) {
  HandMade recording;
  recording.act({1, "nginx", "web.service", Role::kServer, 8080, made(40)});
  recording.act({2, "nginx", "web.service", Role::kServer, 443, made(20)});
  recording.act({3, "cron", "", Role::kClient, 25, made(1)});
  recording.sample(61);
  return host(recording, name, file, budget);
}

report::Host refusing(const char* name, const char* file) {
  HandMade recording;
  recording.act({1, "nginx", "web.service", Role::kServer, 8080, made(30, 0, 70)});
  recording.sample(5000);
  return host(recording, name, file);
}

}  // namespace

TEST_CASE("the worst host is first: budgets, then who was hurt, then the fullest table") {
  const auto names = [](std::vector<report::Host> captures) {
    std::vector<std::string> all;
    for (const report::Host& known : report::combine(std::move(captures)).hosts) all.push_back(known.name);
    return all;
  };
  HandMade fuller;
  fuller.sample(100);
  CHECK(names({quiet("a", "a.db"), host(fuller, "b", "b.db"), quiet("c", "c.db", "created>0"),
               refusing("d", "d.db")}) == std::vector<std::string>{"c", "d", "b", "a"});
  const auto hurt = [](const char* name, std::uint64_t model::Counters::*harm, std::uint64_t drops) {
    HandMade recording;
    model::Counters counts = made(1);
    if (harm != nullptr) counts.*harm = 300;
    recording.act({1, "app", "app.service", Role::kClient, 6379, counts});
    recording.netns.kernel.listen_drops = drops;
    recording.sample(1);
    return host(recording, name, "x.db");
  };
  HandMade fullest;
  fullest.sample(3000);
  CHECK(names({host(fullest, "fullest", "a.db"), hurt("felt", &model::Counters::resets_felt, 0),
               hurt("dropped", nullptr, 2), hurt("unconnected", &model::Counters::no_port, 0),
               hurt("reset", &model::Counters::peer_resets_avoidable, 0), refusing("refused", "b.db")}) ==
        std::vector<std::string>{"refused", "reset", "unconnected", "dropped", "felt", "fullest"});
}

TEST_CASE("several captures of one host are told apart by file, a host without a name goes by it") {
  const report::Hosts hosts = report::combine({quiet("a", "1.db"), quiet("a", "2.db"), quiet("", "3.db")});
  CHECK(hosts.hosts[0].name == "a (1.db)");
  CHECK(hosts.hosts[1].name == "a (2.db)");
  CHECK(hosts.hosts[2].name == "3.db");
}

TEST_CASE("a copy of a capture is no other host, and the report begins with it") {
  const auto written = [](const char* file, std::int64_t pid, std::int64_t started_unix_ms = 1000) {
    report::Host captured = quiet("a", file);
    captured.report.info.writer = model::CaptureWriter{pid, 77};
    captured.report.info.started_unix_ms = started_unix_ms;
    return captured;
  };
  const report::Hosts hosts = report::combine({written("1.db", 8), written("2.db", 9), written("copy.db", 8)});
  CHECK(
      report::headline(hosts).starts_with("copy.db is a copy of 1.db, so what it counted is here twice; 3 captures;"));
  CHECK(hosts.hosts[0].copy_of.empty());
  CHECK(hosts.hosts[1].copy_of.empty());
  CHECK(hosts.hosts[2].copy_of == "1.db");
  const report::Hosts many = report::combine({written("1.db", 8), written("2.db", 8), written("3.db", 8)});
  CHECK(report::headline(many).starts_with(
      "2.db is a copy of 1.db, so what it counted is here twice (1 more of the files are copies, too); "));
  CHECK(report::headline(report::combine({written("1.db", 8), written("2.db", 8, 2000)})).starts_with("2 captures;"));
  CHECK(report::headline(report::combine({quiet("a", "1.db"), quiet("a", "2.db")})).starts_with("2 captures;"));
}

TEST_CASE("services are summed over their rows and hosts") {
  const report::Hosts hosts = report::combine({quiet("a", "a.db"), refusing("b", "b.db")});
  CHECK_FALSE(report::breached(hosts));
  REQUIRE(hosts.services.size() == 2);
  const report::ServicePart& web = hosts.services[0];
  CHECK(web.name == "web.service");
  CHECK(web.all.counts.created() == 90);
  CHECK(web.all.counts.overflow() == 70);
  CHECK(web.all.share == Approx(160.0 / 161));
  REQUIRE(web.hosts.size() == 2);
  CHECK(hosts.hosts[web.hosts[0].host].name == "b");
  CHECK(web.hosts[0].counts.share == Approx(100.0 / 161));
  CHECK(web.hosts[1].counts.counts.created() == 60);
  CHECK(hosts.services[1].name == "cron");  // of no service: the process
  CHECK(report::headline(hosts).starts_with(
      "2 captures; connections were refused in 1; the worst is b: 70 closed connections"));
  CHECK(report::headline(report::combine({quiet("a", "a.db"), quiet("b", "b.db")}))
            .starts_with("2 captures; connections were refused in none; the worst is a: nothing was refused"));
}

TEST_CASE("refusals that only the kernel counted make a host worse, too") {
  HandMade recording;
  recording.netns.missed.overflow = 500;
  recording.sample(5000);
  const report::Hosts hosts = report::combine({quiet("a", "a.db"), host(recording, "b", "b.db")});
  CHECK(
      report::headline(hosts) ==
      "2 captures; connections were refused in 1; the worst is b: the kernel refused 500 buckets, which no BPF program "
      "saw");
}

TEST_CASE("a budget that fails on one host fails") {
  CHECK(report::breached(report::combine({quiet("a", "a.db"), quiet("b", "b.db", "created>0")})));
  CHECK_FALSE(report::breached(report::combine({quiet("a", "a.db"), quiet("b", "b.db", "created>900")})));
}

TEST_CASE("a capture that could not be read hides no other, and passes no budget") {
  const report::LeftOut damaged{"b.db", "b.db is damaged", true};
  const report::LeftOut elsewhere{"c.db", "--netns: no network namespace of the capture is \"web\"", false};
  const auto combined = [](const char* budget, std::vector<report::LeftOut> left_out) {
    return report::combine({quiet("a", "a.db", budget)}, std::move(left_out));
  };
  const report::Hosts unread = combined(nullptr, {elsewhere, damaged, damaged});
  CHECK(
      report::headline(unread).starts_with("not in this report: b.db is damaged (1 more could not be read); "
                                           "1 capture; "));
  CHECK(report::unread(unread) == 2);
  CHECK_FALSE(report::breached(unread));
  CHECK(report::breached(combined("overflow>0", {damaged})));
  CHECK_FALSE(report::breached(combined("overflow>0", {elsewhere})));
  CHECK(report::headline(combined("overflow>0", {elsewhere})).starts_with("1 capture; "));
  report::LeftOut failing = elsewhere;
  failing.fails = true;
  CHECK(report::breached(combined(nullptr, {failing})));
}
