// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "phrases/trouble.hpp"
#include "report/collector.hpp"
#include "report/owners.hpp"
#include "report/troubles.hpp"
#include "report/verdict.hpp"
#include "support/catch.hpp"
#include "support/deploy.hpp"
#include "support/services.hpp"

using namespace twtrace;
using report::PhaseKind;
using report::Verdict;
using test::HandMade;
using test::made;

namespace {

report::Report report_of(HandMade& recording, std::initializer_list<const char*> budgets = {}) {
  std::vector<report::Budget> parsed;
  for (const char* text : budgets) parsed.push_back(report::parse_budget(text).value());
  return report::build_report(recording, parsed).value();
}

Verdict verdict(HandMade& recording, const char* budget) { return report_of(recording, {budget}).verdicts.at(0); }

model::Counters sum(const report::Report& report) {
  model::Counters counts;
  for (const report::Owner& owner : report.owners) counts += owner.row.counts;
  return counts;
}

}  // namespace

TEST_CASE("the budgets of the capture are judged again, each once") {
  HandMade recording;
  recording.editable().budgets = {"created>10", "overflow>0", "createdd>1"};
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(11)});
  recording.sample(1);
  const auto verdicts = report_of(recording).verdicts;
  REQUIRE(verdicts.size() == 3);
  CHECK(verdicts[0].state == Verdict::State::kBreached);
  CHECK(verdicts[0].culprit.value().process->comm == "a");
  CHECK(verdicts[1].state == Verdict::State::kKept);
  CHECK(verdicts[2].state == Verdict::State::kNotMeasurable);
  CHECK(verdicts[2].budget.text == "createdd>1");
  CHECK(verdicts[2].words ==
        "this version of twtrace does not take it: budget \"createdd>1\": character 1: unknown metric \"createdd\"");
  CHECK(report_of(recording, {"overflow>0", "created>10"}).verdicts.size() == 3);
  CHECK(report_of(recording, {"created>11"}).verdicts.size() == 4);
  const auto unjudged = report::build_report(recording, {}, report::Partial::kFails, {}, report::Purpose::kDiff);
  CHECK(unjudged.value().verdicts.empty());  // diff has budgets of its own
}

TEST_CASE("a report on a part of a capture judges the capture's own budgets by the whole of it") {
  HandMade recording;
  recording.editable().budgets = {"overflow>0", "created{service=web}>10"};
  recording.editable().ended_unix_ms = test::kTime + 1000;
  recording.more.resize(1);
  recording.more[0].id = 2;
  recording.more[0].netns = 7;
  recording.more[0].name = "blue";
  recording.more[0].counts = made(3, 0, 5);
  recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, made(11)});
  recording.act({2, "cron", "cron.service", model::Role::kClient, 25, made(1)});
  recording.sample(10);
  for (const char* text : {"netns=host", "netns=blue", "service=cron", "service=nobody", "netns=host service=cron"}) {
    const report::Selection only{view::parse_selector(text, view::Grammar::kFilter).value(), text};
    const std::vector<report::Budget> given = {report::parse_budget("overflow>0").value()};
    const auto report = report::build_report(recording, given, report::Partial::kFails, only).value();
    INFO(text);
    CHECK(report::breached(report));
    const bool by_netns = only.selector.asks(view::Key::kNetns);  // then the given budget is about that one only
    REQUIRE(report.verdicts.size() == (by_netns ? 3 : 2));
    const Verdict& refused = report.verdicts[by_netns ? 1 : 0];
    CHECK(refused.budget.text == "overflow>0");
    CHECK(refused.state == Verdict::State::kBreached);
    CHECK(refused.words == (by_netns ? "5, in the whole capture" : "5"));
    CHECK(report.verdicts.back().state == Verdict::State::kBreached);
    CHECK(report.verdicts.back().measured == 11.0);
    CHECK(report.verdicts.back().culprit.value().process->comm == "nginx");
  }
}

TEST_CASE("remote ends: most arrivals first, then who hurt most, and who is there if that is this host") {
  HandMade recording;
  const test::Tables::Activity acts[] = {{1, "app", "app.service", model::Role::kClient, 6379, made(30)},
                                         {2, "redis", "redis.service", model::Role::kServer, 6379, made(7)},
                                         {3, "cron", "cron.service", model::Role::kClient, 6379, made(2)}};
  for (const auto& act : acts) recording.act(act);
  const auto count = [&](std::uint32_t row, model::Peer peer, int times, model::Event::Kind kind) {
    const model::PeerKey key{model::folded(recording.table.at(row)->identity), std::move(peer)};
    for (int i = 0; i < times; ++i) {
      model::Event event;
      event.kind = kind;
      recording.peers.count(key, event);
    }
  };
  using Kind = model::Event::Kind;
  count(1, {"127.0.0.1", std::uint16_t{6379}}, 10, Kind::kCreated);
  count(1, {"10.0.0.9", std::uint16_t{6379}}, 20, Kind::kCreated);
  count(2, {"127.0.0.1", std::nullopt}, 7, Kind::kCreated);
  count(3, {"::1", std::uint16_t{6379}}, 2, Kind::kOverflow);
  count(1, {"10.0.0.7", std::uint16_t{6379}}, 3, Kind::kResetReceived);  // nobody noticed
  count(1, {"10.0.0.6", std::uint16_t{6379}}, 4, Kind::kResetFelt);
  count(1, {"10.0.0.8", std::uint16_t{6379}}, 5, Kind::kResetFelt);
  recording.sample(1);
  const auto report = report_of(recording);
  const auto comm = [&](std::size_t owner) { return report.owners.at(owner).row.process->comm; };
  const auto other_end = [&](std::size_t peer) { return report.peers.at(peer).other_end.value().process->comm; };
  REQUIRE(report.peers.size() == 6);
  CHECK(report.peers[0].peer.address == "10.0.0.9");
  CHECK(report.peers[0].counts.created() == 20);
  CHECK_FALSE(report.peers[0].other_end);  // whose address that is, nobody knows
  CHECK(report.peers[1].peer.port == std::uint16_t{6379});
  CHECK(comm(report.peers[1].owner) == "app");
  CHECK(other_end(1) == "redis");
  CHECK(comm(report.peers[2].owner) == "redis");
  CHECK(other_end(2) == "app");  // not cron, which has fewer
  CHECK(report.peers[3].counts.overflow() == 2);
  CHECK(other_end(3) == "redis");
  CHECK(report.peers[4].peer.address == "10.0.0.8");
  CHECK(report.peers[4].counts.resets_felt == 5);
  CHECK(report.peers[5].peer.address == "10.0.0.6");

  report::Selection only;
  only.selector = view::parse_selector("comm=cron", view::Grammar::kFilter).value();
  const auto part = report::build_report(recording, {}, report::Partial::kFails, only).value();
  REQUIRE(part.peers.size() == 1);
  REQUIRE(part.owners.size() == 1);  // redis is no owner of this report, although a remote end names it
  CHECK(part.owners.at(part.peers[0].owner).row.process->comm == "cron");
  CHECK(part.peers[0].other_end.value().process->comm == "redis");
}

TEST_CASE("a report has the remote ends of the owners that it is about, however many others have more") {
  HandMade recording;
  recording.act({1, "app", "app.service", model::Role::kClient, 6379, made(240)});
  recording.act({2, "cron", "cron.service", model::Role::kClient, 25, made(1)});
  model::Event event;
  event.kind = model::Event::Kind::kCreated;
  for (int i = 0; i < 240; ++i) {
    recording.peers.count(
        {model::folded(recording.table.at(1)->identity), {"10.0.0." + std::to_string(i / 2), std::uint16_t{6379}}},
        event);
  }
  recording.peers.count({model::folded(recording.table.at(2)->identity), {"10.9.9.9", std::uint16_t{25}}}, event);
  recording.sample(1);
  CHECK(report_of(recording).peers.size() == report::kMaxPeers);
  report::Selection only;
  only.selector = view::parse_selector("comm=cron", view::Grammar::kFilter).value();
  const auto part = report::build_report(recording, {}, report::Partial::kFails, only).value();
  REQUIRE(part.peers.size() == 1);
  CHECK(part.peers[0].peer.address == "10.9.9.9");
}

TEST_CASE("a report can be limited to some owners") {
  const auto recording = test::deploy();
  std::vector<report::Budget> budgets;
  for (const char* text :
       {"overflow>0", "created>100", "in_use_peak>90%", "created{comm=redis}>0", "unattributed>16"}) {
    budgets.push_back(report::parse_budget(text).value());
  }
  budgets = report::narrowed(budgets, {{view::Key::kService, "service=WEB"}}).value();
  const auto whole = report::build_report(*recording, budgets).value();
  report::Selection only;
  only.selector = view::parse_selector("service=WEB", view::Grammar::kFilter).value();
  only.text = "--service WEB";
  const auto part = report::build_report(*recording, budgets, report::Partial::kFails, only).value();
  CHECK(part.selection == "--service WEB");
  CHECK(part.totals == whole.totals);
  CHECK(part.verdicts[0].state == Verdict::State::kKept);  // web was not refused
  CHECK(part.verdicts[1].state == Verdict::State::kBreached);
  CHECK(part.verdicts[1].culprit.value().process->comm == "nginx");
  CHECK(part.verdicts[2].state == Verdict::State::kBreached);  // it judges the table, whoever fills it
  CHECK(part.verdicts[2].culprit.value().process->comm == "scheduler");
  CHECK(part.verdicts[3].state == Verdict::State::kNotMeasurable);  // nobody has both names
  CHECK(part.verdicts[4].state == Verdict::State::kBreached);       // nobody's service
  CHECK(part.owners.size() == 1);
  CHECK(part.ports.empty());  // they belong to worker.service
  REQUIRE(whole.ports.size() == 1);
  only.selector = view::parse_selector("comm=redis", view::Grammar::kFilter).value();
  const auto client = report::build_report(*recording, {}, report::Partial::kFails, only).value();
  REQUIRE(client.owners.size() == 1);
  REQUIRE(client.ports.size() == 1);
  CHECK(client.ports[0].owner == 0U);
  CHECK(report::headline(client).rfind("no row", 0) == std::string::npos);
}

TEST_CASE("a selection that nobody matches is said first") {
  const auto recording = test::deploy();
  const auto whole = report::build_report(*recording, {}).value();
  report::Selection typo;
  typo.selector = view::parse_selector("service=wbe", view::Grammar::kFilter).value();
  typo.text = "--service wbe";
  const auto part = report::build_report(*recording, {}, report::Partial::kFails, typo).value();
  CHECK(report::headline(part).rfind("no row matches --service wbe, and ", 0) == 0);
  CHECK(report::headline(whole).rfind("no row", 0) == std::string::npos);
}

TEST_CASE("a report can be limited to a namespace, as if the others were not in the file") {
  HandMade recording;
  recording.editable().ended_unix_ms = test::kTime + 2000;
  recording.more.resize(1);
  recording.more[0].netns = 7;
  recording.more[0].name = "blue";
  recording.more[0].counts = made(3, 0, 5);
  recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, made(11)});
  recording.sample(10);
  const auto limited = [&](const char* text) {
    return report::build_report(recording, {report::parse_budget("overflow>0").value()}, report::Partial::kFails,
                                {view::parse_selector(text, view::Grammar::kFilter).value(), text})
        .value();
  };
  const auto blue = limited("netns=blue");
  CHECK(blue.totals == made(3, 0, 5));
  CHECK(blue.namespaces.size() == 1);
  CHECK(sum(blue) == blue.totals);
  CHECK(blue.verdicts[0].state == Verdict::State::kBreached);
  const auto host = limited("netns=host");
  CHECK(host.totals == made(11));
  CHECK(sum(host) == host.totals);
  CHECK(host.verdicts[0].state == Verdict::State::kKept);
  CHECK(host.info.settings_at_start.size() == 1);
  CHECK(blue.info.settings_at_start.empty());  // the settings of the host are no finding here
  CHECK(limited("netns=green").namespaces.empty());
}

TEST_CASE("troubles of a deploy: who held the table when it was full, and who was refused") {
  const report::Report report = report_of(*test::deploy());
  REQUIRE(report.troubles.size() == 1);
  const model::Trouble& trouble = report.troubles[0];
  CHECK(trouble.kind == model::Trouble::Kind::kFull);
  CHECK(trouble.use->taken == 5000);
  CHECK(trouble.use->of == 5000);
  REQUIRE(trouble.refused);
  CHECK(trouble.refused->name == "scheduler.service");
  CHECK(trouble.refused->buckets == 4454);
  CHECK(trouble.refused->share == 1.0);
}

TEST_CASE("troubles: the holder is that of the peak, the worst comes first, ports are the most that were taken") {
  HandMade recording;
  const auto live = [&](std::uint32_t slot, std::uint64_t created, std::uint64_t refused, std::uint64_t now) {
    recording.table.set(slot, made(created, 0, refused), now, false);
  };
  model::NetnsRow idle;  // full all the time, nobody is refused
  idle.id = 2;
  idle.netns = 7;
  idle.name = "idle";
  idle.limit = 9000;
  idle.in_use = 9000;
  recording.more = {idle};
  recording.act({1, "a", "first.service", model::Role::kServer, 80, {}});
  recording.act({2, "b", "second.service", model::Role::kServer, 81, {}});
  live(1, 4000, 0, 4000);
  live(2, 1000, 0, 1000);
  recording.sample(5000);  // the peak
  live(1, 4000, 0, 0);
  live(2, 1500, 20, 1200);
  recording.head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {990, 1000}, 1}});
  recording.sample(1200);
  recording.head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {10, 1000}, 1}});
  recording.sample(1200);
  const report::Report report = report_of(recording);
  REQUIRE(report.troubles.size() == 3);
  CHECK(report.troubles[0].netns_name == "host");
  REQUIRE(report.troubles[0].holder);
  CHECK(report.troubles[0].holder->name == "first.service");
  CHECK(report.troubles[0].holder->buckets == 4000);
  REQUIRE(report.troubles[0].refused);
  CHECK(report.troubles[0].refused->name == "second.service");
  CHECK(report.troubles[0].refused->buckets == 20);
  CHECK(report.troubles[1].netns_name == "idle");
  CHECK(report.troubles[1].kind == model::Trouble::Kind::kFull);
  CHECK_FALSE(report.troubles[1].refused);
  CHECK(report.troubles[2].kind == model::Trouble::Kind::kPorts);
  CHECK(report.troubles[2].use->taken == 990);
}

TEST_CASE("troubles: a table that was full before its limit was raised was full") {
  HandMade recording;
  recording.netns.limit = 500;
  recording.act({1, "nginx", "web.service", model::Role::kServer, 80, made(500, 0, 400)});
  recording.sample(500);
  recording.netns.limit = 65536;
  recording.sample(500);
  const auto troubles = report::build_report(recording, {}).value().troubles;
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == model::Trouble::Kind::kFull);
  CHECK(troubles[0].use->of == 500);
  REQUIRE(troubles[0].holder);

  recording.act({1, "nginx", "web.service", model::Role::kServer, 80, made(300)});
  recording.sample(800);  // more than the table held then
  const auto later = report::build_report(recording, {}).value().troubles;
  REQUIRE(later.size() == 1);
  CHECK(later[0].kind == model::Trouble::Kind::kFull);
  CHECK(later[0].use->taken == 500);
  CHECK(later[0].use->of == 500);
  CHECK_FALSE(later[0].holder);
}

TEST_CASE("troubles: a table with a limit of 0 was full when it refused") {
  HandMade recording;
  recording.netns.limit = 0;
  recording.act({1, "nginx", "web.service", model::Role::kServer, 80, made(0, 0, 400)});
  recording.sample(0);
  const auto troubles = report::build_report(recording, {}).value().troubles;
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0].kind == model::Trouble::Kind::kFull);
  CHECK_FALSE(troubles[0].holder);
  REQUIRE(troubles[0].refused);
}

TEST_CASE("troubles: the holder is that of a later sample if nobody was known to hold anything at the peak") {
  const auto holder = [](int samples_later) {
    HandMade recording;
    recording.act({1, "worker", "worker.service", model::Role::kClient, 6379, {}});
    recording.table.set(1, made(5000), std::nullopt, false);
    recording.sample(5000);
    for (int i = 1; i < samples_later; ++i) recording.sample(4000);
    recording.table.set(1, made(5000), 3990, false);
    recording.sample(4000);
    recording.table.set(1, made(5000), 12, false);
    recording.sample(20);
    const report::Report report = report_of(recording);
    REQUIRE(report.troubles.size() == 1);
    return report.troubles[0].holder;
  };
  for (const int later : {1, 3}) {
    const auto found = holder(later);
    REQUIRE(found);
    CHECK(found->name == "worker.service");
    CHECK(found->buckets == 3990);
    CHECK(found->share == 3990 / 5000.0);
  }
  CHECK_FALSE(holder(4));
}

TEST_CASE("troubles: while a table stays full, its holder is counted to the end") {
  HandMade recording;
  recording.act({1, "worker", "worker.service", model::Role::kClient, 6379, {}});
  recording.table.set(1, made(1026), 1026, false);  // counted just before the burst
  recording.sample(5000);
  const std::int64_t first_ms = recording.now_unix_ms();
  recording.table.set(1, made(3990), 3990, false);
  recording.sample(5000);
  recording.table.set(1, made(3990), 12, false);
  recording.sample(20);
  const report::Report report = report_of(recording);
  REQUIRE(report.troubles.size() == 1);
  REQUIRE(report.troubles[0].holder);
  CHECK(report.troubles[0].holder->buckets == 3990);
  CHECK(report.namespaces[0].peak_unix_ms == first_ms);
}

TEST_CASE("troubles: connects that found no local port are told, whenever in the capture that was") {
  HandMade recording;
  const auto failed = [](std::uint64_t count) {
    model::Counters counts;
    counts.no_port = count;
    return counts;
  };
  recording.act({1, "php-fpm", "php.service", model::Role::kClient, 8081, failed(30)});
  recording.act({2, "cron", "cron.service", model::Role::kClient, 8081, failed(10)});
  recording.sample(100);
  recording.sample(100);
  const report::Report report = report_of(recording);
  REQUIRE(report.troubles.size() == 1);
  const model::Trouble& trouble = report.troubles[0];
  CHECK(trouble.kind == model::Trouble::Kind::kPorts);
  CHECK(trouble.destination->port == std::uint16_t{8081});
  CHECK(trouble.no_port_per_s == 0);
  REQUIRE(trouble.unconnected);
  CHECK(trouble.unconnected->name == "php.service");
  CHECK(trouble.unconnected->buckets == 30);
  CHECK(phrases::trouble_remarks(trouble, phrases::Tense::kPast).back().text ==
        "could not connect: php.service 30 times, 75%");
}

TEST_CASE("the headline does not say that nothing was refused if no program saw the refusals") {
  HandMade recording;
  recording.netns.missed.overflow = 1234;
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(1)});
  recording.sample(1);
  CHECK(report::headline(report_of(recording)) == "the kernel refused 1,234 buckets, which no BPF program saw");
  CHECK(report::troubled(report_of(recording)));
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(0, 0, 5)});
  recording.sample(1);
  CHECK(
      report::headline(report_of(recording)) ==
      "5 closed connections were refused a place in the table, all of a of a.service (server :80); the kernel refused "
      "1,234 more, which no BPF program saw");
}

TEST_CASE("an owner's share counts what it was refused, too") {
  HandMade recording;
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(10, 0, 290)});
  recording.act({2, "b", "b.service", model::Role::kServer, 81, made(60, 40)});
  recording.sample(110);
  const report::Report report = report_of(recording);
  REQUIRE(report.owners.size() == 2);
  CHECK(report.owners[0].row.process->comm == "a");
  CHECK(report.owners[0].share == 0.75);
  CHECK(report.owners[1].share == 0.25);
}

TEST_CASE("a deploy: phases, owners and totals") {
  const auto recording = test::deploy();
  const report::Report report = report_of(*recording);
  CHECK(report.samples == 30);
  CHECK(report.seconds == 30);
  CHECK(!report.cut());
  REQUIRE(report.phases.size() == 3);
  CHECK(report::phase(report, PhaseKind::kBefore)->seconds == 5);
  CHECK(report::phase(report, PhaseKind::kDuring)->seconds == 10);
  CHECK(report::phase(report, PhaseKind::kAfter)->seconds == 15);
  CHECK(report::phase(report, PhaseKind::kWhole) == nullptr);
  CHECK(report.phases[0].total.counts.created() == 5 * 80 + 17);
  CHECK(report.phases[1].total.counts.created() == 5000 - 417);
  CHECK(report.phases[2].total.counts.created() == 0);
  CHECK(report.phases[1].fullest.in_use_peak == std::uint64_t{5000});
  CHECK(report.phases[1].fullest.peak_percent == 100.0);
  CHECK(report.totals.created() == 5000);
  CHECK(report.totals.overflow() == 4454);
  CHECK(report.unattributed.created() == 17);
  CHECK(sum(report) == report.totals);
  REQUIRE(report.owners.size() == 4);
  CHECK(report.owners[0].row.process->comm == "scheduler");
  CHECK(report.owners[0].phases[0].created() == 0);
  CHECK(report.owners[0].phases[1].refused() + report.owners[0].phases[2].refused() == 4454);
  CHECK(report.owners[3].row.kind == model::RowKind::kUnattributed);
  REQUIRE(report.ports.size() == 1);
  CHECK(report.ports[0].use.ports.taken == 18000);
  CHECK(report.owners.at(report.ports[0].owner.value()).row.process->comm == "redis-worker");
  CHECK(report.ports[0].created == 240);
}

TEST_CASE("buckets from before the start are part of the table, and of nobody's counts") {
  HandMade recording;
  model::Entry older;
  older.identity.netns = 1;
  older.identity.role = model::Role::kServer;
  older.identity.port = 80;
  older.identity.attribution = model::Attribution::kNone;
  older.identity.service.kind = "systemd";
  older.identity.service.name = "old.service";
  older.live = 4000;
  recording.table.set_before_start({older});
  recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, made(1000)});
  recording.sample(5000);
  recording.table.set_before_start({});
  recording.sample(1000);

  const report::Report report = report_of(recording, {"in_use_peak>80%", "created{service=old}>0"});
  REQUIRE(report.owners.size() == 2);
  CHECK(report.owners[0].row.process->comm == "nginx");
  CHECK(report.owners[0].share == Approx(0.2));
  CHECK(report.owners[1].row.kind == model::RowKind::kBeforeStart);
  CHECK(report.owners[1].row.service->name == "old.service");
  CHECK(report.owners[1].before_start == 4000);
  CHECK(report.owners[1].share == Approx(0.8));
  CHECK(sum(report) == report.totals);
  CHECK(report.verdicts[0].culprit.value().service->name == "old.service");
  CHECK(report.verdicts[0].culprit_count == 4000);
  CHECK(report.verdicts[0].culprit_share == Approx(0.8));
  CHECK(report.verdicts[1].words == "0 (no row matches)");
  const auto fills = std::find_if(report.findings.begin(), report.findings.end(),
                                  [](const report::Finding& finding) { return finding.id == "fills-table"; });
  REQUIRE(fills != report.findings.end());
  CHECK(fills->text.find(" created 20% of all buckets") != std::string::npos);
}

TEST_CASE("without a command the whole capture is one phase") {
  const auto recording = test::deploy();
  recording->editable().command.reset();
  const report::Report report = report_of(*recording);
  REQUIRE(report.phases.size() == 1);
  CHECK(report.phases[0].kind == PhaseKind::kWhole);
  CHECK(report.phases[0].total.counts == report.totals);
  CHECK(sum(report) == report.totals);
}

TEST_CASE("an interval that shares time with the command is during it") {
  model::CaptureInfo info;
  info.command = model::CapturedCommand{{"x"}, 10000, 20000, 0, std::nullopt};
  CHECK(report::phase_of(8000, 9000, info) == 0);
  CHECK(report::phase_of(9000, 10000, info) == 0);
  CHECK(report::phase_of(9000, 10019, info) == 0);  // the two clocks are read one after the other
  CHECK(report::phase_of(9000, 10021, info) == 1);
  CHECK(report::phase_of(10000, 11000, info) == 1);
  CHECK(report::phase_of(19000, 20000, info) == 1);
  CHECK(report::phase_of(19990, 20990, info) == 2);
  CHECK(report::phase_of(20000, 21000, info) == 2);
  info.command->ended_unix_ms = 10005;  // it ran for less than the slack, within the interval
  CHECK(report::phase_of(9500, 10500, info) == 1);
  CHECK(report::phase_of(10500, 11500, info) == 2);
  info.command->ended_unix_ms.reset();  // still running
  CHECK(report::phase_of(50000, 51000, info) == 1);
  info.command->started_unix_ms.reset();  // never started
  CHECK(report::phase_of(50000, 51000, info) == 0);
}

TEST_CASE("what is torn or cut is reported up to there") {
  const auto recording = test::deploy();
  recording->break_after(7);
  recording->editable().ended_unix_ms.reset();
  const report::Report report = report_of(*recording);
  CHECK(report.samples == 7);
  CHECK(report.cut());
  CHECK(report.read_error == "the file is torn");
  CHECK(sum(report) == report.totals);
  CHECK(report.totals.created() == 7 * 80 + 17);
  recording->break_after(0);
  CHECK(!report::build_report(*recording, {}));
}

TEST_CASE("a capture without a sample says so and keeps no budget") {
  HandMade recording;
  const report::Report report = report_of(recording, {"overflow>0"});
  CHECK(report.samples == 0);
  CHECK(report.verdicts[0].state == Verdict::State::kNotMeasurable);
  CHECK(report::breached(report));
}

TEST_CASE("a day of samples takes bounded memory and hides no peak") {
  HandMade recording;
  for (int i = 0; i < 10'000; ++i) {
    recording.act({1, "a", "a.service", model::Role::kServer, 80, made(i == 7777 ? 500 : 1)});
    recording.sample(i == 7777 ? 4321 : 100);
  }
  const report::Report report = report_of(recording);
  const auto& timeline = report.namespaces[0].timeline;
  CHECK(timeline.size() <= report::kMaxTimelinePoints);
  CHECK(timeline.size() > report::kMaxTimelinePoints / 3);
  std::uint64_t created = 0;
  std::uint64_t peak = 0;
  std::int64_t end = report.begin_unix_ms;
  for (const report::TimelinePoint& point : timeline) {
    CHECK(point.begin_unix_ms == end);
    end = point.end_unix_ms;
    created += point.created;
    peak = std::max(peak, point.in_use.value_or(0));
  }
  CHECK(created == 10'499);
  CHECK(peak == 4321);
  CHECK(end == report.end_unix_ms);
  CHECK(report.namespaces[0].created_per_s_peak == 500);
  CHECK(report.namespaces[0].demand.arrivals == 59 + 500);
}

TEST_CASE("namespaces are told apart, the fullest is first, and sums are over all") {
  HandMade recording;
  recording.namespaces.push_back({2, 4026532000U, "blue", {}, {}});
  model::NetnsRow blue;
  blue.id = 2;
  blue.netns = 4026532000U;
  blue.name = "blue";
  blue.limit = 100;
  blue.in_use = 90;
  blue.counts = made(90);
  recording.more = {blue};
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(1000)});
  recording.act({2, "a", "a.service", model::Role::kServer, 80, made(90), 2});
  recording.sample(1000);
  const report::Report report =
      report_of(recording, {"in_use_peak>80%", "in_use_peak{netns=host}>80%", "created{netns=blue}>89",
                            "created{netns=nowhere}>0", "in_use_peak>999"});
  REQUIRE(report.namespaces.size() == 2);
  CHECK(report.namespaces[0].last.name == "blue");
  CHECK(report.totals.created() == 1090);
  CHECK(sum(report) == report.totals);
  CHECK(report.verdicts[0].state == Verdict::State::kBreached);
  CHECK(report.verdicts[0].measured == 90.0);
  CHECK(report.verdicts[1].state == Verdict::State::kKept);
  CHECK(report.verdicts[2].state == Verdict::State::kBreached);
  CHECK(report.verdicts[2].measured == 90.0);
  CHECK(report.verdicts[2].culprit.value().netns_name == "blue");
  CHECK(report.verdicts[3].state == Verdict::State::kNotMeasurable);
  CHECK(report.verdicts[4].measured == 1000.0);
}

TEST_CASE("a budget on an inode number that two namespaces had cannot be measured, on the id of one it can") {
  HandMade recording;
  const auto blue = [](std::uint32_t id, std::uint64_t created) {
    model::NetnsRow row;
    row.id = id;
    row.netns = 77;
    row.name = "blue";
    row.counts = made(created);
    return row;
  };
  recording.more = {blue(2, 1000), blue(3, 5)};
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(1)});
  recording.sample(1);
  const report::Report report =
      report_of(recording, {"unattributed{netns=77}>0", "unattributed{netns==blue}>0", "unattributed{netns=id:3}>4",
                            "unattributed{netns=id:3}>5", "unattributed{netns=blue}>1004"});
  CHECK(report.verdicts[0].state == Verdict::State::kNotMeasurable);
  CHECK(report.verdicts[0].words.find("id:2 (blue), id:3 (blue)") != std::string::npos);
  CHECK(report.verdicts[1].state == Verdict::State::kNotMeasurable);
  CHECK(report.verdicts[2].state == Verdict::State::kBreached);
  CHECK(report.verdicts[3].state == Verdict::State::kKept);
  CHECK(report.verdicts[4].state == Verdict::State::kBreached);  // a substring selects every name that contains it
}

TEST_CASE("a table that refused comes before a fuller one, and an idle one comes last") {
  HandMade recording;
  const auto other = [](std::uint32_t inum, const model::Counters& counts, std::uint64_t in_use) {
    model::NetnsRow row;
    row.netns = inum;
    row.counts = counts;
    row.limit = 100;
    row.in_use = in_use;
    return row;
  };
  recording.more = {other(1, {}, 100), other(2, made(1), 90), other(3, made(1, 0, 1), 50)};
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(10)});
  recording.sample(10);
  const report::Report report = report_of(recording);
  REQUIRE(report.namespaces.size() == 4);
  CHECK(report.namespaces[0].last.netns == 3);
  CHECK(report.namespaces[1].last.netns == 2);
  CHECK(report.namespaces[2].last.name == "host");
  CHECK(report.namespaces[3].last.netns == 1);
}

TEST_CASE("the work of a report grows with the number of namespaces, not with its square") {
  constexpr std::uint32_t kNamespaces = 100'000;
  HandMade recording;
  for (std::uint32_t i = 1; i <= kNamespaces; ++i) {
    model::NetnsRow row;
    row.id = i + 1;
    row.netns = 4026532000U + i;
    row.limit = 100;
    row.in_use = 100;
    row.counts = made(2, 0, 3);
    row.unattributed = made(2, 0, 3);
    row.missed = {1, 1};
    recording.more.push_back(row);
    model::NetnsSettings settings = HandMade::settings();
    settings.netns = row.netns;
    settings.netns_id = row.id;
    settings.limit = 100;
    recording.editable().settings_at_start.push_back(settings);
  }
  recording.sample(1);
  const report::Report report = report_of(recording, {"created>200000", "in_use_peak>100%"});
  CHECK(report.namespaces.size() == kNamespaces + 1);
  CHECK(report.owners.size() == kNamespaces);
  CHECK(report.totals.created() == 2 * kNamespaces);
  CHECK(report.findings.size() < 50);
}

TEST_CASE("the work of a sample does not grow with the number of samples before it, however short they are") {
  constexpr std::uint64_t kSamples = 300'000;
  report::Collector collector(model::CaptureInfo{}, {});
  model::Snapshot head;
  head.interval_s = 1e-9;
  model::NetnsRow& row = head.namespaces.emplace_back();
  for (std::uint64_t i = 1; i <= kSamples; ++i) {
    row.counts = made(i);
    collector.add(head);
  }
  const report::Report report = std::move(collector).finish();
  CHECK(report.namespaces.at(0).busiest_arrivals == kSamples);
  CHECK(report.namespaces.at(0).demand.arrivals == kSamples);
}

namespace {

/// So many samples of one moment, without a row.
class Moment final : public model::Recording {
 public:
  explicit Moment(std::uint64_t samples) : samples_(samples) {}
  const model::CaptureInfo& info() const override { return info_; }
  base::Result<void> for_each(model::Wanted /*wanted*/, const model::SampleVisitor& visit) override {
    auto head = std::make_shared<model::Snapshot>();
    head->interval_s = 1e-9;
    const test::Tables tables;
    const model::CurrentSource nothing(tables.table, tables.peers, tables.namespaces);
    for (std::uint64_t i = 0; i < samples_ && visit(head, nothing); ++i) {
    }
    return {};
  }

 private:
  model::CaptureInfo info_;
  std::uint64_t samples_;
};

}  // namespace

TEST_CASE("the work of a report grows with the number of samples, not with its square, also where no time passes") {
  constexpr std::uint64_t kSamples = 300'000;
  Moment recording(kSamples);
  CHECK(report::build_report(recording, {}).value().samples == kSamples);
}

TEST_CASE("the work of a sample does not grow with the number of queues in other samples") {
  constexpr std::size_t kQueues = 4096;
  constexpr std::size_t kSamples = 20'000;
  std::vector<model::ListenQueue> queues(kQueues);
  for (std::size_t i = 0; i < kQueues; ++i) {
    queues[i].netns_id = 1;
    queues[i].port = 80;
    queues[i].service = test::shared_service(std::to_string(i));
  }
  report::Collector collector(model::CaptureInfo{}, {});
  model::Snapshot head;
  head.interval_s = 1;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::size_t first = i * model::kMostQueues % kQueues;
    for (std::size_t k = first; k < first + model::kMostQueues; ++k) ++queues[k].drops;
    const auto begin = queues.begin() + static_cast<std::ptrdiff_t>(first);
    head.queues = std::make_shared<std::vector<model::ListenQueue>>(
        begin, begin + static_cast<std::ptrdiff_t>(model::kMostQueues));
    collector.add(head);
  }
  const report::Report report = std::move(collector).finish();
  REQUIRE(report.queues.size() == kQueues);
  CHECK(report.queues.front().drops == (kSamples + 63) / 64);
  CHECK(report.queues.back().drops == kSamples / 64);
}

TEST_CASE("who held a full table is looked for with one look at the rows, while nobody is known") {
  /// Two services of one name, which labels would have to tell apart.
  class Rows final : public model::Source {
   public:
    void visit(const model::FactVisitor& visitor) const override {
      ++visits;
      const model::Counters zero;
      for (const model::Identity& who : owners) {
        visitor({who, model::RowKind::kNormal, nullptr, refused, zero, zero, std::nullopt});
      }
    }
    void visit_peers(const model::FactVisitor& /*visitor*/) const override {}
    const std::vector<model::NetnsInfo>& namespaces() const override { return infos; }

    model::Counters refused = made(1, 0, 5);
    std::vector<model::Identity> owners;
    std::vector<model::NetnsInfo> infos = {{1, 4026531840U, "host", {}, {}}, {2, 4026532000U, "web", {}, {}}};
    mutable std::size_t visits = 0;
  };
  Rows rows;
  for (const char* slice : {"/a/", "/b/"}) {
    model::Identity& who = rows.owners.emplace_back();
    who.netns = 1;
    who.service = {"systemd", "web.service", slice + std::string("web.service"), {}, {}};
  }
  report::Report all;
  report::NetnsReport& netns = all.namespaces.emplace_back();
  netns.last.id = 1;
  netns.last.counts = made(2, 0, 10);
  netns.in_use_peak = netns.peak_limit = 500;
  report::TroubleCollector troubles(all);
  for (std::uint64_t sample = 0; sample < 4; ++sample) {
    troubles.add(rows, sample, false);
    CHECK(rows.visits == sample + 1);
  }
  troubles.add(rows, 4, true);
  const auto found = std::move(troubles).finish();
  REQUIRE(found.size() == 1);
  CHECK(found[0].refused.value().name.ends_with("/web.service"));
}

namespace {

model::NetnsRow gone_netns(std::uint32_t id, const model::Counters& counts) {
  model::NetnsRow netns;
  netns.id = id;
  netns.netns = 4026532000U + id;
  netns.gone = true;
  netns.counts = counts;
  return netns;
}

/// A sample with one row of curl in each of these namespaces, which are gone, and one after they were forgotten.
void forget(HandMade& recording, const std::vector<std::pair<model::NetnsRow, model::Counters>>& gone) {
  std::set<std::uint32_t> ids;
  for (const auto& [netns, counts] : gone) {
    ids.insert(netns.id);
    recording.more.push_back(netns);
    recording.act({netns.id, "curl", "ci.service", model::Role::kClient, 443, counts, netns.id, true});
  }
  recording.sample(0);
  for (const std::uint32_t id : ids) recording.table.retire(id);
  recording.table.move(ids, model::kForgottenNetns);
  recording.namespaces.push_back({model::kForgottenNetns, 0, "(other)", {}, {}});
  recording.more = {};
  recording.sample(0);
}

}  // namespace

TEST_CASE("rows of namespaces that were forgotten during the capture count once") {
  HandMade recording;
  forget(recording, {{gone_netns(2, made(70, 0, 4)), made(70, 0, 4)}, {gone_netns(3, made(31)), made(30)}});
  const report::Report report = report_of(recording);
  CHECK(report.totals.created() == 101);
  CHECK(sum(report) == report.totals);
  REQUIRE(report.owners.size() == 2);
  CHECK(report.owners[0].row.counts == made(100, 0, 4));
  CHECK(report.owners[0].share == Approx(104.0 / 105));
  CHECK(report.owners[1].row.kind == model::RowKind::kUnattributed);
  CHECK(report.owners[1].row.netns_id == 3);
  CHECK(report.owners[1].row.counts.created() == 1);
  // Its namespace has what its rows no longer say.
  CHECK(verdict(recording, "overflow{netns=id:2}>0").state == Verdict::State::kBreached);
  CHECK(verdict(recording, "overflow{netns=id:2,comm=curl}>0").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "overflow{netns=id:2,comm=curl}>4").state == Verdict::State::kKept);
}

TEST_CASE("a ratio of phases counts everything in the phase in which it happened, whatever was merged since") {
  HandMade recording;
  recording.editable().command =
      model::CapturedCommand{{"./deploy.sh"}, test::kTime + 1000, test::kTime + 2000, 0, std::nullopt};
  model::NetnsRow young;
  young.id = 2;
  young.netns = 4026532000U;
  young.counts = made(10);
  recording.act({1, "curl", "ci.service", model::Role::kClient, 443, made(10), 2, true});
  recording.act({3, "nginx", "web.service", model::Role::kServer, 80, made(100)});
  recording.more = {young};
  recording.sample(0);
  young.counts = made(510);
  recording.act({2, "curl", "ci.service", model::Role::kClient, 443, made(500), 2, true});
  recording.act({3, "nginx", "web.service", model::Role::kServer, 80, made(100)});
  recording.more = {young};
  recording.sample(0);
  young.gone = true;
  recording.more = {young};
  recording.table.retire(1);
  recording.table.retire(2);
  recording.table.move({2}, model::kForgottenNetns);
  recording.namespaces.push_back({model::kForgottenNetns, 0, "(other)", {}, {}});
  recording.sample(0);
  CHECK(verdict(recording, "created_ratio{netns=id:2}>49").measured == 50.0);
  CHECK(verdict(recording, "created_ratio>5").measured == Approx(600.0 / 110));
  CHECK(verdict(recording, "created_ratio{netns=host}>1").state == Verdict::State::kKept);
}

TEST_CASE("a ratio of phases for an owner is not known if rows were merged that decide it") {
  test::Tables before;
  test::Tables during;
  for (test::Tables* tables : {&before, &during}) {
    tables->namespaces.push_back({2, 4026532000U, "ci", {}, {}});
    tables->namespaces.push_back({model::kForgottenNetns, 0, "(other)", {}, {}});
    tables->act({1, "nginx", "web.service", model::Role::kServer, 80, made(100)});
  }
  before.act({2, "curl", "ci.service", model::Role::kClient, 443, made(10), 2});
  during.act({1, "nginx", "web.service", model::Role::kServer, 80, made(100)});
  during.act({2, "curl", "ci.service", model::Role::kClient, 443, made(510), model::kForgottenNetns});
  report::OwnerCollector owners(2, {}, report::Purpose::kReport);
  owners.add(model::CurrentSource(before.table, before.peers, before.namespaces), 0, false);
  owners.add(model::CurrentSource(during.table, during.peers, during.namespaces), 1, true);
  report::Report report;
  report.info.command = model::CapturedCommand{{"./deploy.sh"}, 1000, 2000, 0, std::nullopt};
  report.info.ended_unix_ms = 2000;
  report.samples = 2;
  report.phases = {{report::PhaseKind::kBefore, 1, {}, {}}, {report::PhaseKind::kDuring, 1, {}, {}}};
  std::move(owners).finish(report);
  REQUIRE(report.merged.size() == 2);
  CHECK(report.merged[0].created() == 10);  // of a row that is a part of another one now
  CHECK(report.merged[1].created() == 10);  // which has it as if it had been counted then
  report::Judge judge(report, report::Partial::kFails);
  const auto judged = [&](const char* budget) { return judge.judge(report::parse_budget(budget).value()); };
  const Verdict curl = judged("created_ratio{comm=curl}>60");
  CHECK(curl.state == Verdict::State::kNotMeasurable);
  CHECK(curl.words.starts_with("processes or namespaces that were gone were merged"));
  CHECK(judged("created_ratio{comm=curl}>20").state == Verdict::State::kBreached);
  CHECK(judged("created_ratio{comm=nginx}>1.3").state == Verdict::State::kKept);
  CHECK(judged("created_ratio{comm=nginx}>1.1").state == Verdict::State::kNotMeasurable);
}

TEST_CASE("a culprit has no more than the whole count, however rows were merged") {
  HandMade recording;
  recording.editable().command =
      model::CapturedCommand{{"./deploy.sh"}, test::kTime + 1000, test::kTime + 2000, 0, std::nullopt};
  recording.table = model::RowTable(0);  // those that have ended are (other)
  recording.act({1, "worker", "queue.service", model::Role::kClient, 6379, made(80), 1, true});
  recording.act({2, "worker", "queue.service", model::Role::kClient, 6379, made(20)});
  recording.sample(1);
  recording.table.retire(1);
  recording.sample(1);
  recording.act({2, "worker", "queue.service", model::Role::kClient, 6379, made(10)});
  recording.sample(1);
  const Verdict worker = verdict(recording, "created{comm=worker}>20");
  CHECK(worker.state == Verdict::State::kBreached);
  CHECK(worker.measured == 30.0);
  CHECK(worker.culprit_count == 30);
}

TEST_CASE("what a forgotten namespace says that nobody took stays there") {
  HandMade recording;
  model::NetnsRow first = gone_netns(2, made(70));
  first.unattributed = made(5);
  forget(recording, {{first, made(65)}, {gone_netns(3, made(31)), made(31)}});
  CHECK(verdict(recording, "unattributed{netns=id:2}>4").measured == 5.0);
  CHECK(verdict(recording, "unattributed{netns=id:3}>4").measured == 0.0);
}

TEST_CASE("a namespace that goes away busy had as many buckets at most as it created since its last reading") {
  HandMade recording;
  model::NetnsRow busy;
  busy.id = 2;
  busy.netns = 4026532000U;
  busy.name = "payments";
  busy.limit = 65536;
  busy.in_use = 297;
  busy.counts = made(297);
  recording.more = {busy};
  recording.sample(1);
  busy.gone = true;
  busy.limit = busy.in_use = std::nullopt;
  busy.counts = made(9465);
  recording.more = {busy};
  recording.sample(1);
  for (const char* open : {"in_use_peak>5000", "in_use_peak>5%", "in_use_peak{netns=payments}>9464"}) {
    INFO(open);
    CHECK(verdict(recording, open).state == Verdict::State::kNotMeasurable);
    CHECK(verdict(recording, open).words.starts_with("a namespace went away before its table was read once more"));
  }
  for (const char* kept : {"in_use_peak>9465", "in_use_peak>15%", "in_use_peak{netns=host}>5000"}) {
    INFO(kept);
    CHECK(verdict(recording, kept).state == Verdict::State::kKept);
  }
}

TEST_CASE("a share and a count of a table are of one moment, and decimals tell a value from its limit") {
  HandMade recording;
  recording.netns.limit = 10000;
  recording.act({1, "nginx", "web.service", model::Role::kServer, 80, made(606)});
  recording.sample(606);
  recording.netns.limit = 350;
  recording.sample(304);
  CHECK(verdict(recording, "in_use_peak>80%").words == "86.9% of the limit (304 in use)");
  CHECK(verdict(recording, "in_use_peak>500").words == "6.1% of the limit (606 in use)");
  recording.act({2, "cron", "cron.service", model::Role::kClient, 25, made(0, 0, 445)});
  recording.sample(304);
  CHECK(verdict(recording, "overflow>42.3%").words == "42.34% (445 of 1,051)");
  CHECK(verdict(recording, "overflow>42.34%").words == "42.341% (445 of 1,051)");
}

TEST_CASE("a namespace that takes the number of one that is gone is another one") {
  HandMade recording;
  model::NetnsRow old;
  old.id = 2;
  old.netns = 4026532000U;
  old.counts = made(70);
  recording.more = {old};
  recording.sample(0);
  old.gone = true;
  model::NetnsRow young = old;
  young.id = 3;
  young.gone = false;
  young.counts = made(3);
  recording.more = {old, young};
  recording.sample(0);
  CHECK(report_of(recording).totals.created() == 73);
  young.counts = made(5);  // the old namespace is no longer listed
  recording.more = {young};
  recording.sample(0);
  const report::Report report = report_of(recording);
  CHECK(report.totals.created() == 75);
  REQUIRE(report.namespaces.size() == 3);
  CHECK(report.namespaces[0].last.counts.created() == 70);
  CHECK(report.namespaces[1].last.counts.created() == 5);
}

namespace {

/// A namespace is gone, and the next one has its inode number. The first created 1,000, the second 5. Each has a limit,
/// settings and ports of its own.
std::unique_ptr<HandMade> two_of_one_number() {
  auto recording = std::make_unique<HandMade>();
  constexpr std::uint32_t kInode = 4026532177U;
  recording->namespaces.push_back({2, kInode, "old", {}, {}});
  recording->namespaces.push_back({3, kInode, "young", {}, {}});
  model::NetnsRow old;
  old.id = 2;
  old.netns = kInode;
  old.name = "old";
  old.limit = 65536;
  old.in_use = 1000;
  old.counts = made(1000);
  old.missed = {7, 0};
  old.kernel.created = 1007;
  old.reconciled = false;
  model::NetnsSettings settings = HandMade::settings();
  settings.netns = kInode;
  settings.netns_id = 2;
  settings.name = "old";
  settings.limit = 65536;
  recording->editable().settings_at_start.push_back(settings);
  recording->more = {old};
  recording->act({1, "churn", "a.service", model::Role::kClient, 7000, made(1000), 2});
  recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{kInode, {"10.0.0.9", std::uint16_t{7000}}, {900, 1000}, 2}});
  recording->sample(0);
  old.gone = true;
  old.in_use.reset();
  model::NetnsRow young;
  young.id = 3;
  young.netns = kInode;
  young.name = "young";
  young.limit = 20000;
  young.in_use = 5;
  young.counts = made(5);
  young.missed = {0, 0};
  young.kernel.created = 5;
  young.reconciled = true;
  settings.netns_id = 3;
  settings.name = "young";
  settings.limit = 20000;
  recording->editable().settings_at_start.push_back(settings);
  recording->editable().settings_at_end = {settings};
  recording->more = {young, old};
  recording->act({2, "churn", "a.service", model::Role::kClient, 7000, made(5), 3});
  recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{kInode, {"10.0.0.9", std::uint16_t{7000}}, {4, 1000}, 3}});
  recording->sample(0);
  return recording;
}

const report::NetnsReport& of_id(const report::Report& report, std::uint32_t id) {
  const auto found = std::find_if(report.namespaces.begin(), report.namespaces.end(),
                                  [id](const report::NetnsReport& netns) { return netns.last.id == id; });
  REQUIRE(found != report.namespaces.end());
  return *found;
}

}  // namespace

TEST_CASE("two namespaces that had one inode number one after the other are two") {
  const auto recording = two_of_one_number();
  const report::Report report = report_of(*recording);
  REQUIRE(report.namespaces.size() == 3);
  const report::NetnsReport& old = of_id(report, 2);
  CHECK(old.last.name == "old");
  CHECK(old.last.gone);
  CHECK(old.last.counts.created() == 1000);
  CHECK(old.in_use_peak == 1000U);
  CHECK(old.last.kernel.created == 1007U);
  CHECK(old.last.missed.created == 7U);
  CHECK(old.last.reconciled == false);
  const report::NetnsReport& young = of_id(report, 3);
  CHECK(young.last.name == "young");
  CHECK_FALSE(young.last.gone);
  CHECK(young.last.counts.created() == 5);
  CHECK(young.in_use_peak == 5U);
  CHECK(young.last.kernel.created == 5U);
  CHECK(young.last.reconciled == true);
  CHECK(report.totals.created() == 1005);
  CHECK(sum(report) == report.totals);
  REQUIRE(report.owners.size() == 2);
  CHECK(report.owners[0].row.netns_id == 2);
  CHECK(report.owners[0].row.counts.created() == 1000);
  CHECK(report.owners[1].row.netns_id == 3);
  CHECK(report.owners[1].row.counts.created() == 5);
}

TEST_CASE("settings and ports are those of one namespace, not of others with its inode number") {
  const auto recording = two_of_one_number();
  const report::Report report = report_of(*recording);
  CHECK(of_id(report, 2).at_start->limit == 65536U);
  CHECK_FALSE(of_id(report, 2).at_end);
  CHECK(of_id(report, 3).at_start->limit == 20000U);
  CHECK(of_id(report, 3).at_end->limit == 20000U);
  for (const report::Finding& finding : report.findings) CHECK(finding.id != "limit-changed");
  REQUIRE(report.ports.size() == 2);
  CHECK(report.ports[0].use.ports.taken == 900);
  CHECK(report.ports[0].netns_name == "old");
  CHECK(report.ports[1].use.ports.taken == 4);
  CHECK(report.ports[1].netns_name == "young");
  recording->editable().settings_at_start[1].netns_id.reset();  // an old capture does not have it
  CHECK_FALSE(of_id(report_of(*recording), 2).at_start);
}

TEST_CASE("numbers that no kernel has are told as they are") {
  HandMade recording;
  recording.netns.limit = 1;
  recording.sample(std::uint64_t{1} << 63U);
  CHECK(report::headline(report_of(recording)) ==
        "nothing was refused; the table was 922337203685477580800% full at most");
}

TEST_CASE("what was missed in a namespace that is gone stays its own when its number is given again") {
  HandMade recording;
  model::NetnsRow old;
  old.id = 2;
  old.netns = 4026532000U;
  old.missed = {5, 1};
  old.kernel.listen_overflows = 7;
  recording.more = {old};
  recording.sample(0);
  old.gone = true;
  model::NetnsRow young = old;
  young.id = 3;
  young.gone = false;
  young.missed = {2, std::nullopt};
  young.kernel.listen_overflows = 1;
  for (const auto& order : {std::vector{old, young}, std::vector{young, old}}) {
    recording.more = order;
    recording.sample(0);
    const report::Report report = report_of(recording);
    for (const report::NetnsReport& netns : report.namespaces) {
      if (netns.last.id == 1) continue;
      CHECK(netns.last.gone == (netns.last.id == 2));
      CHECK(netns.last.missed.created == (netns.last.id == 2 ? 5U : 2U));
      CHECK(netns.last.kernel.listen_overflows == (netns.last.id == 2 ? 7U : 1U));
    }
    CHECK(report.namespaces.size() == 3);
  }
}

TEST_CASE("verdicts of a deploy: value, state, culprit and share") {
  const auto recording = test::deploy();
  Verdict of = verdict(*recording, "overflow>0");
  CHECK(of.state == Verdict::State::kBreached);
  CHECK(of.measured == 4454.0);
  const report::Report report = report_of(*recording);
  CHECK(of.culprit.value().process->comm == "scheduler");
  CHECK(of.culprit_count == 4454);
  CHECK(of.culprit_share == 1.0);

  CHECK(verdict(*recording, "overflow>4454").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "overflow>=4454").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "overflow{service=web}>0").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "created{service=web}>719").measured == 720.0);
  CHECK(verdict(*recording, "overflow{comm=idle}>0").words == "0 (no row matches)");
  CHECK(verdict(*recording, "created{role=client,port=6379}>=240").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "created{service=scheduler}>80%").measured == Approx(100.0 * 4023 / 5000));
  CHECK(verdict(*recording, "unattributed>16").measured == 17.0);
  CHECK(verdict(*recording, "unattributed>1%").measured == Approx(0.34));
  CHECK(verdict(*recording, "in_use_peak>=5000").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "in_use_peak>100%").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "created_per_s_peak>=1080").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "created_per_s_peak>1080").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "overflow>47%").measured == Approx(100.0 * 4454 / 9454));
  CHECK(verdict(*recording, "lost_events>0").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "expired<1").state == Verdict::State::kBreached);
}

TEST_CASE("what no program saw never lets a budget pass") {
  HandMade recording;
  recording.editable().probe.sees.resets_sent = true;
  recording.netns.missed = {10, 500, 3};
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(100, 0, 7)});
  recording.sample(10);
  const auto state = [&](const char* budget) {
    const Verdict of = verdict(recording, budget);
    INFO(budget << ": " << of.words);
    CHECK((of.words.find("that no BPF program saw") != std::string::npos) ==
          (of.state == Verdict::State::kNotMeasurable));
    return of.state;
  };
  for (const char* open :
       {"overflow>7", "overflow>506", "overflow{service=a}>7", "overflow<8", "overflow==8", "overflow==7",
        "overflow!=100", "overflow>10%", "overflow<10%", "no_memory>0", "created>100", "created{netns=host}>109",
        "unattributed>0", "created_per_s_peak>100", "resets_sent>0", "peer_resets>0"}) {
    CHECK(state(open) == Verdict::State::kNotMeasurable);
  }
  for (const char* kept : {"overflow>507", "overflow<7", "overflow==508", "overflow>84%", "created>110",
                           "created_per_s_peak>110", "resets_sent>3", "no_port>0", "resets_received>0"}) {
    CHECK(state(kept) == Verdict::State::kKept);
  }
  for (const char* breached : {"overflow>6", "overflow<508", "overflow!=508", "overflow>1%", "created>99"}) {
    CHECK(state(breached) == Verdict::State::kBreached);
  }
  CHECK(verdict(recording, "overflow>7").words ==
        "there may be 500 more that no BPF program saw; without them it is 7");
}

TEST_CASE("what a process without a name felt never lets a budget with that name pass") {
  HandMade recording;
  recording.editable().probe.sees.resets_received = true;
  const auto feel = [&](std::uint32_t pid, const char* comm, const char* service, std::uint64_t felt,
                        model::Role role = model::Role::kServer) {
    model::Counters counts;
    counts.resets_received = counts.resets_felt = felt;
    recording.act({pid, comm, service, role, 80, counts});
  };
  feel(1, "php", "php.service", 7);
  feel(2, "", "php.service", 20);  // in its accept queue
  recording.act({3, "nginx", "web.service", model::Role::kServer, 80, made(3)});
  feel(4, "", "db.service", 300);  // nothing called php was there
  recording.sample(10);
  for (const char* open : {"resets_felt{comm=php}>7", "resets_felt{comm=php}>26", "resets_felt{comm=php}==20",
                           "resets_felt{comm!=nginx,service=php}>7", "resets_felt{comm=php,role=server}>7"}) {
    INFO(open);
    CHECK(verdict(recording, open).state == Verdict::State::kNotMeasurable);
  }
  for (const char* kept : {"resets_felt{comm=php}>27", "resets_felt{comm=php,role=client}>0",
                           "resets_felt{comm=nginx}>0", "created{comm=php}>0"}) {
    INFO(kept);
    CHECK(verdict(recording, kept).state == Verdict::State::kKept);
  }
  for (const char* breached : {"resets_felt{comm=php}>6", "resets_felt{service=php}>26", "resets_felt{service=db}>0"}) {
    INFO(breached);
    CHECK(verdict(recording, breached).state == Verdict::State::kBreached);
  }
  CHECK(verdict(recording, "resets_felt{comm=php}>7").words ==
        "there may be 20 more of processes that are not known, in a service that has one of that name; without them it "
        "is 7");
  feel(5, "", "", 1);  // of no service: anybody's
  recording.sample(10);
  CHECK(verdict(recording, "resets_felt{comm=nginx}>0").state == Verdict::State::kNotMeasurable);
  recording.netns.missed.created = 5;
  recording.sample(10);
  CHECK(verdict(recording, "created{comm=php}>0").words ==
        "there may be 5 more that no BPF program saw; without them it is 0");
}

TEST_CASE("what is nobody's, or of several owners, never lets a budget for one owner pass") {
  HandMade recording;
  recording.table = model::RowTable(0);  // those that have ended are (other)
  recording.act({1, "python3", "ci.service", model::Role::kClient, 443, made(5, 0, 20), 1, true});
  recording.act({2, "nginx", "web.service", model::Role::kServer, 80, made(3)});
  recording.editable().seen->push_back({{"systemd", "ci.service", "/system.slice/ci.service", {}, {}}, "python3"});
  recording.table.retire(1);
  recording.sample(10);
  const auto state = [&](const char* budget) {
    INFO(budget);
    return verdict(recording, budget).state;
  };
  for (const char* open : {"overflow{comm=python3}>0", "overflow{service=ci}>0", "overflow{port=443}>0",
                           "overflow{role=client}>0", "overflow{comm!=nginx}>19", "overflow{role=server,netns=host}>0",
                           "overflow{service=web}==20", "overflow{comm=nginx}>10%"}) {
    CHECK(state(open) == Verdict::State::kNotMeasurable);
  }
  for (const char* kept : {"overflow{comm=python3}>20", "overflow{comm=python3,port=443}<0", "created{service=web}>8",
                           "overflow{service=web}>99%", "overflow{netns=host}>20", "no_memory{comm=nginx}>0"}) {
    CHECK(state(kept) == Verdict::State::kKept);
  }
  for (const char* breached : {"overflow>0", "overflow{netns=host}>19", "created{service=web}>2"}) {
    CHECK(state(breached) == Verdict::State::kBreached);
  }
  CHECK(verdict(recording, "overflow{comm=python3}>0").words ==
        "there may be 20 more of (other), which merges many owners; without them it is 0 (no row matches)");

  HandMade nobodys;
  nobodys.act({2, "nginx", "web.service", model::Role::kServer, 80, made(3)});
  nobodys.unattributed.overflow_time_wait = 70;
  nobodys.sample(10);
  for (const char* labels : {"{comm=nginx}", "{service=web}", "{port=80}", "{role=server}"}) {
    const Verdict of = verdict(nobodys, ("overflow" + std::string(labels) + ">0").c_str());
    CHECK(of.state == Verdict::State::kNotMeasurable);
    CHECK(of.words == "there may be 70 more of (unattributed), whose owner is not known; without them it is 0");
  }
  CHECK(verdict(nobodys, "overflow{netns=host}>70").state == Verdict::State::kKept);
}

TEST_CASE("a row that does not say all that a budget asks for may be what it asks for") {
  HandMade recording;
  recording.act({1, "curl", "ci.service", model::Role::kClient, 0, made(5, 0, 20)});  // of many ports
  recording.act({2, "stray", "", model::Role::kServer, 81, made(5, 0, 4)});           // of an unknown cgroup
  recording.act({3, "nginx", "web.service", model::Role::kServer, 80, made(3)});
  recording.sample(10);
  CHECK(verdict(recording, "overflow{port=443}>0").words ==
        "there may be 20 more of clients that talk to many ports; without them it is 0 (no row matches)");
  CHECK(verdict(recording, "overflow{port=443,role=server}>0").state == Verdict::State::kKept);
  CHECK(verdict(recording, "overflow{port=443,comm=nginx}>0").state == Verdict::State::kKept);
  CHECK(verdict(recording, "overflow{service=web}>0").words ==
        "there may be 4 more of processes whose service is not known; without them it is 0");
  CHECK(verdict(recording, "overflow{service=web,port=80}>0").state == Verdict::State::kKept);
  CHECK(verdict(recording, "overflow{comm=nginx}>0").state == Verdict::State::kKept);
}

TEST_CASE("a ratio is open only as far as what is nobody's was in the phases that it compares") {
  const auto recording = test::deploy();  // 17 created before the command are nobody's
  CHECK(verdict(*recording, "created_ratio{service=idle}>3").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "created_ratio{service=idle}<1").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*recording, "created_ratio{service=scheduler}>200").state == Verdict::State::kNotMeasurable);
}

TEST_CASE("a ratio is open as long as what no program saw could decide it") {
  const auto recording = test::deploy();  // 458.3/s during, 83.4/s before
  recording->netns.missed.created = 417;  // as many as there were before
  recording->sample(0, 0.001);
  CHECK(verdict(*recording, "created_ratio>5").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*recording, "created_ratio>2").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "created_ratio>7").state == Verdict::State::kKept);
}

TEST_CASE("resets to the peers of forgotten connections may be among the others") {
  HandMade recording;
  recording.editable().probe.sees.resets_sent = true;
  recording.head.lost.refused_full = 1;
  model::Counters counts = made(1);
  counts.resets_other = 2;
  recording.act({1, "a", "a.service", model::Role::kServer, 80, counts});
  recording.sample(1);
  CHECK(verdict(recording, "peer_resets>0").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "peer_resets_avoidable>1").words ==
        "there may be 2 more among resets_other, because twtrace could not remember all refused connections; without "
        "them it is 0");
  CHECK(verdict(recording, "peer_resets>2").state == Verdict::State::kKept);
  CHECK(verdict(recording, "resets_late>0").state == Verdict::State::kKept);
}

TEST_CASE("created_ratio compares during with before, of the rows that are asked for") {
  const auto recording = test::deploy();
  CHECK(verdict(*recording, "created_ratio>3").measured == Approx(458.3 / 83.4));
  CHECK(verdict(*recording, "created_ratio{service=web}>3").measured == Approx(0.7));
  CHECK(std::isinf(verdict(*recording, "created_ratio{service=scheduler}>3").measured.value()));
  CHECK(verdict(*recording, "created_ratio{service=scheduler}>3").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "created_ratio{service=idle}>3").measured == 1.0);
}

TEST_CASE("what cannot be measured fails, whatever the comparison") {
  for (const char* budget :
       {"expired>0", "expired<1", "reused>=0", "recycled==0", "purged!=1", "no_port>0", "resets_received>0",
        "resets_felt<1", "peer_resets>0", "peer_resets_avoidable>0", "resets_sent>0", "resets_late>0",
        "resets_aborted>0", "resets_closed_port>0", "resets_other>0", "queue_drops>0"}) {
    const auto recording = test::deploy();
    recording->editable().probe = {"tracepoint", {}, {}};
    const Verdict of = verdict(*recording, budget);
    INFO(budget << ": " << of.words);
    CHECK(of.state == Verdict::State::kNotMeasurable);
    CHECK(of.fails());
    CHECK(of.words.find("tracepoint") != std::string::npos);
  }
  const auto recording = test::deploy();
  recording->editable().command.reset();
  CHECK(verdict(*recording, "created_ratio>3").state == Verdict::State::kNotMeasurable);
  const auto no_before = test::deploy();
  no_before->editable().command->started_unix_ms = test::kTime;
  CHECK(verdict(*no_before, "created_ratio>3").state == Verdict::State::kNotMeasurable);
  HandMade unread;
  unread.netns.limit.reset();
  unread.netns.missed = {};
  unread.sample(5);
  CHECK(verdict(unread, "in_use_peak>80%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(unread, "in_use_peak>80").state == Verdict::State::kKept);
  CHECK(verdict(unread, "missed>0").state == Verdict::State::kNotMeasurable);
}

TEST_CASE("a budget for a count that a capture is too old for says so, and does not blame the backend") {
  HandMade recording;
  recording.sample(1);
  CHECK(verdict(recording, "queue_drops>0").words == "the fentry backend does not see what listening sockets drop");
  recording.editable().sees_at_most.queue_drops = false;
  const Verdict old = verdict(recording, "queue_drops>0");
  CHECK(old.state == Verdict::State::kNotMeasurable);
  CHECK(old.words == "the capture is of an older version of twtrace, which did not count queue_drops");
}

TEST_CASE("a budget about queue drops counts what rows have, and for all of them what no row has") {
  HandMade recording;
  recording.editable().probe.sees.queue_drops = true;
  model::Counters dropped;
  dropped.queue_drops = 20;
  recording.act({1, "nginx", "web.service", model::Role::kServer, 443, dropped});
  recording.netns.missed.queue_drops = 5;
  recording.sample(1);
  CHECK(verdict(recording, "queue_drops>24").state == Verdict::State::kBreached);
  CHECK(verdict(recording, "queue_drops>24").words == "25, 5 of them by sockets that are not known");
  CHECK(verdict(recording, "queue_drops>24").culprit_count == 20);
  CHECK(verdict(recording, "queue_drops>24").culprit_share == Approx(0.8));
  CHECK(verdict(recording, "queue_drops>25").state == Verdict::State::kKept);
  CHECK(verdict(recording, "queue_drops{netns=host}>24").state == Verdict::State::kBreached);
  CHECK(verdict(recording, "queue_drops{service=web}>25").state == Verdict::State::kKept);
  CHECK(verdict(recording, "queue_drops{service=web}>24").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "queue_drops{service=web}>20").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "queue_drops{service=web}>19").state == Verdict::State::kBreached);
}

TEST_CASE("the headline says the most important thing") {
  const auto recording = test::deploy();
  CHECK(report::headline(report_of(*recording)) ==
        "31 connection attempts were dropped at a listening socket; 4,454 closed connections were refused a place in "
        "the table, all of scheduler of scheduler.service (server :9000)");
  HandMade quiet;
  quiet.sample(4999);
  CHECK(report::headline(report_of(quiet)) == "nothing was refused; the table was 99% full at most");
}

TEST_CASE("the headline begins with who was hurt, and with what a larger table would have changed") {
  const auto of = [](const model::Counters& counts, bool seen = true, std::uint64_t forgotten = 0) {
    HandMade recording;
    recording.editable().probe.sees.resets_sent = seen;
    recording.head.lost.refused_full = forgotten;
    recording.act({1, "a", "a.service", model::Role::kServer, 80, counts});
    recording.sample(4999);
    return report::headline(report_of(recording));
  };
  const std::string calm = "nothing was refused; the table was 99% full at most";
  model::Counters counts = made(1);
  counts.resets_aborted = counts.resets_closed_port = counts.resets_other = counts.resets_late = 9;
  CHECK(of(counts) == calm);
  counts.resets_received = 1371;
  counts.resets_felt = 1300;
  const std::string felt = "a of a.service (server :80) noticed 1,300 resets";
  CHECK(of(counts) == felt + "; this host's table caused none of them; " + calm);
  CHECK(of(counts, false) == felt + "; " + calm);
  CHECK(of(counts, true, 1) == felt + "; " + calm);
  counts.peer_resets = 100;
  const auto avoided = [&](std::uint64_t avoidable) {
    counts.peer_resets_avoidable = avoidable;
    return of(counts);
  };
  CHECK(avoided(36).starts_with(
      "100 resets went to peers of connections that the table had refused; a larger table would "
      "have avoided 36; " +
      felt + "; "));
  CHECK(of(counts, true, 1).starts_with("at least 100 resets went to peers"));
  CHECK(avoided(0).find("would have avoided none of them") != std::string::npos);
  CHECK(avoided(100).find("would have avoided all of them") != std::string::npos);
  model::Counters unconnected = made(1);
  unconnected.no_port = 148;
  CHECK(of(unconnected) == "148 connect() calls found no free local port; " + calm);
}

TEST_CASE("the headline tells a lack of memory from a full table") {
  HandMade recording;
  model::Counters counts = made(9);
  counts.no_memory = 400;
  recording.act({1, "a", "a.service", model::Role::kServer, 80, counts});
  recording.sample(9);
  const std::string words =
      "the kernel had no memory for the buckets of 400 closed connections, all of a of a.service (server :80)";
  CHECK(report::headline(report_of(recording)) == words);
  recording.act({2, "b", "b.service", model::Role::kServer, 81, made(1, 0, 7)});
  recording.sample(9);
  CHECK(report::headline(report_of(recording)) ==
        "7 closed connections were refused a place in the table, all of b of b.service (server :81); " + words);
}

TEST_CASE("the headline says who noticed most resets") {
  HandMade recording;
  recording.editable().probe.sees.resets_sent = true;
  const auto feel = [&](std::uint32_t pid, const char* comm, const char* service, std::uint64_t felt) {
    model::Counters counts;
    counts.resets_received = counts.resets_felt = felt;
    recording.act({pid, comm, service, model::Role::kClient, 6379, counts});
  };
  feel(1, "agent", "agents.service", 9);
  feel(2, "web", "web.service", 5);
  recording.sample(4999);
  CHECK(
      report::headline(report_of(recording))
          .starts_with("processes on this host noticed 14 resets, 9 of them in agent of agents.service (client :6379); "
                       "this host's table caused none of them; "));
  feel(3, "", "", 90);
  recording.sample(4999);
  CHECK(report::headline(report_of(recording))
            .starts_with("processes on this host noticed 104 resets; this host's table caused none of them; "));
}

TEST_CASE("a budget that is not exceeded yet never passes on a capture that was cut") {
  const auto recording = test::deploy();
  recording->editable().ended_unix_ms.reset();
  for (const char* budget :
       {"overflow>4454", "created<1", "in_use_peak>100%", "overflow>99%", "created_ratio>9", "lost_events>0",
        "created_per_s_peak>1080", "missed>0", "created!=5000", "unattributed>17"}) {
    const Verdict of = verdict(*recording, budget);
    INFO(budget << ": " << of.words);
    CHECK(of.state == Verdict::State::kNotMeasurable);
    CHECK(of.words.find("the capture was cut: what happened after its last sample is missing") == 0);
    const std::vector<report::Budget> one = {report::parse_budget(budget).value()};
    CHECK(report::build_report(*recording, one, report::Partial::kAllowed).value().verdicts[0].state ==
          Verdict::State::kKept);
  }
  CHECK(verdict(*recording, "overflow>0").state == Verdict::State::kBreached);  // missing data can only add to it
  CHECK(verdict(*recording, "in_use_peak>99%").state == Verdict::State::kBreached);
  CHECK(verdict(*recording, "created<9999").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*recording, "overflow>1%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*recording, "created_ratio>1").state == Verdict::State::kNotMeasurable);

  recording->editable().running = true;
  CHECK(verdict(*recording, "overflow>4454").words.find("the capture is still being written") == 0);
  const auto torn = test::deploy();
  torn->break_after(7);
  CHECK(verdict(*torn, "overflow>4454").words.find("the capture cannot be read to its end (the file is torn)") == 0);
}

TEST_CASE("a budget whose names nobody had does not pass") {
  const auto recording = test::deploy();
  for (const char* budget :
       {"created{comm=nobody}>0", "overflow{service=wbe.service}>0", "created{service=none}==1",
        "created{service=idle,comm=nobody}>0", "created_ratio{service=none}>3", "created{comm=zz}>9%"}) {
    const Verdict of = verdict(*recording, budget);
    INFO(budget);
    CHECK(of.state == Verdict::State::kNotMeasurable);
    CHECK(of.words == "no row matches, and no process of that name was seen; check the spelling");
  }
  for (const char* budget : {"overflow{service=idle}>0", "overflow{service=idle.service,comm=id*}>0",
                             "overflow{role=client,port=1}>0", "overflow{service=web,port=1}>0"}) {
    const Verdict of = verdict(*recording, budget);
    INFO(budget << ": " << of.words);
    CHECK(of.state == Verdict::State::kKept);
    CHECK(of.words == "0 (no row matches)");
  }
  recording->editable().seen->resize(model::kMostSeenProcesses);
  CHECK(verdict(*recording, "created{comm=nobody}>0").words ==
        "no row matches, and the capture names only 4,096 of the processes that ran");
  CHECK(verdict(*recording, "overflow{comm=idle}>0").state == Verdict::State::kKept);
  recording->editable().seen.reset();
  CHECK(verdict(*recording, "overflow{comm=idle}>0").words ==
        "no row matches, and this capture does not say whether any process of that name ran");
}

TEST_CASE("more names than can be compared in a short time fail the budgets that ask for them") {
  HandMade recording;
  const std::string name(4000, 'x');
  for (std::uint32_t i = 0; i < 100; ++i) {
    recording.act({i + 1, "a", name + std::to_string(i), model::Role::kServer, 80, made(1)});
  }
  recording.sample(1);
  // Patterns of over 64 characters are the dear ones. Each is another one.
  std::vector<report::Budget> budgets;
  for (int i = 0; i < 100; ++i) {
    const std::string pattern = std::string(400, 'y') + std::to_string(i);
    budgets.push_back(report::parse_budget("created{service==" + pattern + "}>0").value());
  }
  budgets.push_back(report::parse_budget("created>99").value());
  const auto verdicts = report::build_report(recording, budgets).value().verdicts;
  REQUIRE(verdicts.size() == 101);
  const std::string too_many = "the capture has too many long names for so many budgets; judge fewer at one time";
  const auto first =
      std::find_if(verdicts.begin(), verdicts.end(), [&](const Verdict& of) { return of.words == too_many; });
  CHECK(first - verdicts.begin() == 59);  // 100 services of some 20,000 bytes, 9 words each, 59 times are under 2^30
  CHECK(std::all_of(first, verdicts.end() - 1, [&](const Verdict& of) {
    return of.state == Verdict::State::kNotMeasurable && of.words == too_many;
  }));
  CHECK(verdicts.back().state == Verdict::State::kBreached);
}

TEST_CASE("a term that many budgets have is compared once") {
  HandMade recording;
  const std::string name(4000, 'x');
  for (std::uint32_t i = 0; i < 100; ++i) {
    recording.act({i + 1, "a", name + std::to_string(i), model::Role::kServer, 80, made(1)});
  }
  recording.sample(1);
  std::vector<report::Budget> budgets;
  for (int i = 0; i < 100; ++i) {
    const std::string labels = "{service=*" + std::string(400, 'x') + "*,port!=" + std::to_string(i + 1) + "}";
    budgets.push_back(report::parse_budget("created" + labels + ">99").value());
  }
  const report::Report report = report::build_report(recording, budgets).value();
  for (const Verdict& of : report.verdicts) {
    INFO(of.words);
    CHECK(of.state ==
          (of.budget.text.find("port!=80}") == std::string::npos ? Verdict::State::kBreached : Verdict::State::kKept));
  }
}

TEST_CASE("every term of a budget counts, several of one key, too") {
  const auto recording = test::deploy();
  const auto words = [&](const char* budget) { return verdict(*recording, budget).words; };
  CHECK(words("created{role=server,role!=client}>0") == words("created{role=server}>0"));
  CHECK(words("created{port>79,port<81}>0") == words("created{port=80}>0"));
  CHECK(words("created{comm=*,comm!=zz,service=*}>0") == words("created{comm=*,service=*}>0"));
}

TEST_CASE("the busiest second is not one of the short intervals at the start and end of a command") {
  struct Interval {
    std::uint64_t created;
    double seconds;
  };
  const auto peak = [](const std::vector<Interval>& intervals) {
    HandMade recording;
    for (const Interval& interval : intervals) {
      recording.act({1, "a", "a.service", model::Role::kServer, 80, made(interval.created)});
      recording.sample(1, interval.seconds);
    }
    return report_of(recording).namespaces.at(0).created_per_s_peak;
  };
  CHECK(peak({{1, 0.03}, {0, 1}, {0, 1}}) == Approx(1 / 1.03));  // at the start
  CHECK(peak({{0, 1}, {1, 0.03}, {0, 1}}) == Approx(1 / 1.03));  // in the middle
  CHECK(peak({{0, 1}, {1, 0.03}}) == Approx(1 / 1.03));          // at the end
  CHECK(peak({{2, 1}, {2, 0.03}}) == Approx(4 / 1.03));
  CHECK(peak({{7, 1}, {0, 1}, {1, 0.03}}) == 7);
  CHECK(peak({{5, 0.03}, {20, 1}, {0, 1}}) == Approx(25 / 1.03));
  CHECK(peak({{0, 0.5}, {100, 1}, {0, 0.5}}) == 100);                            // a short neighbour lowers no rate
  CHECK(peak({{50, 0.25}, {50, 0.25}, {50, 0.25}, {50, 0.25}, {0, 1}}) == 200);  // a command of 0.25 s each
  CHECK(peak({{1, 0.03}}) == 1);                                                 // nothing else was recorded
  CHECK(peak({{90, 0.9}, {0, 1.1}}) == Approx(100));                             // no clock is exact
  CHECK(peak({{0, 1}, {30, 3}}) == 10);
}

TEST_CASE("a budget for what was missed says which counters nobody has") {
  HandMade recording;
  model::NetnsRow brief;  // it went away between two samples
  brief.id = 2;
  brief.netns = 4026532000U;
  brief.gone = true;
  recording.more = {brief};
  recording.sample(0);
  CHECK(verdict(recording, "missed>0").state == Verdict::State::kKept);  // nothing was counted there
  recording.more[0].counts = made(3);
  recording.sample(0);
  CHECK(verdict(recording, "missed>0").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "missed>0").words ==
        "the counters of a namespace went away with it; ask for one that stayed, as in missed{netns=host}; the rest "
        "has 0");
  CHECK(verdict(recording, "missed{netns=host}>0").state == Verdict::State::kKept);
  brief.id = 3;
  brief.counts = made(0, 0, 1);
  recording.more.push_back(brief);
  recording.sample(0);
  CHECK(verdict(recording, "missed>0").words.starts_with("the counters of 2 namespaces went away with them; "));
  recording.netns.missed.overflow = 4;
  recording.sample(0);
  CHECK(verdict(recording, "missed>3").state == Verdict::State::kBreached);
  CHECK(verdict(recording, "missed>4").state == Verdict::State::kNotMeasurable);
  recording.netns.missed.created.reset();
  recording.sample(0);
  CHECK(verdict(recording, "missed>4").words ==
        "the kernel's own counters cannot be compared on this kernel; the rest has 4");
}

TEST_CASE("budgets are not kept for a command that never ran") {
  const auto recording = test::deploy();
  recording->editable().command->started_unix_ms.reset();
  recording->editable().command->ended_unix_ms.reset();
  const Verdict of = verdict(*recording, "overflow>4454");
  CHECK(of.state == Verdict::State::kNotMeasurable);
  CHECK(of.words == "the command was never started; the rest has 4,454");
  CHECK(verdict(*recording, "overflow>0").state == Verdict::State::kBreached);
  const std::vector<report::Budget> one = {report::parse_budget("overflow>4454").value()};
  CHECK(report::build_report(*recording, one, report::Partial::kAllowed).value().verdicts[0].state ==
        Verdict::State::kKept);
  CHECK(report::headline(report_of(*recording)).ends_with("; the command was never started"));
  CHECK(report::missing(report_of(*recording)) == "the command was never started");
  recording->editable().ended_unix_ms.reset();
  CHECK(verdict(*recording, "overflow>4454").words.starts_with("the capture was cut"));
}

TEST_CASE("a budget for a namespace that was made again during the capture does not pass") {
  HandMade recording;
  recording.namespaces.push_back({2, 4026532000U, "web", {}, {}});
  recording.namespaces.push_back({3, 4026532001U, "web", {}, {}});
  model::NetnsRow first;
  first.id = 2;
  first.netns = 4026532000U;
  first.name = "web";
  first.limit = 100;
  first.in_use = 5;
  first.counts = made(5);
  recording.more = {first};
  recording.act({1, "nginx", "web.service", model::Role::kServer, 80, made(5), 2});
  recording.sample(0);
  CHECK(verdict(recording, "overflow{netns=id:2}>0").state == Verdict::State::kKept);
  first.gone = true;
  first.in_use.reset();
  recording.more = {first};
  recording.sample(0);
  CHECK(verdict(recording, "overflow{netns=id:2}>0").state == Verdict::State::kKept);  // nothing has its name
  model::NetnsRow second = first;
  second.id = 3;
  second.netns = 4026532001U;
  second.gone = false;
  second.in_use = 1;
  second.counts = made(1, 0, 30);
  recording.more = {first, second};
  recording.act({2, "nginx", "web.service", model::Role::kServer, 80, made(1, 0, 30), 3});
  recording.sample(0);
  CHECK(verdict(recording, "overflow{netns=id:2}>0").words ==
        "netns web ended at +2.0s, and id:3 had its name after it; the rest has 0");
  CHECK(verdict(recording, "in_use_peak{netns=4026532000}>80%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "created{netns=id:2}>4").state == Verdict::State::kBreached);
  CHECK(verdict(recording, "overflow{netns=web}>0").state == Verdict::State::kBreached);  // it asks for both
  CHECK(verdict(recording, "overflow{netns=id:3}>30").state == Verdict::State::kKept);
  CHECK(verdict(recording, "overflow{netns=host}>0").state == Verdict::State::kKept);
  const std::vector<report::Budget> one = {report::parse_budget("overflow{netns=id:2}>0").value()};
  CHECK(report::build_report(recording, one, report::Partial::kAllowed).value().verdicts[0].state ==
        Verdict::State::kKept);
  // A report on that namespace alone has the names of the others, too.
  recording.editable().namespaces = {{1, 4026531840U, "host"}, {2, 4026532000U, "web"}, {3, 4026532001U, "web"}};
  const report::Selection only{view::parse_selector("netns=id:2", view::Grammar::kFilter).value(), "--netns id:2"};
  CHECK(report::build_report(recording, one, report::Partial::kFails, only).value().verdicts[0].state ==
        Verdict::State::kNotMeasurable);
}

TEST_CASE("a hole in a capture fails the budgets that it may hide something from") {
  const auto state = [](model::Gap::Why why, std::optional<std::uint32_t> netns_id, const char* budget) {
    const auto recording = test::deploy();
    recording->editable().gaps = {{why, test::kTime + 2000, test::kTime + 4500, netns_id}};
    return verdict(*recording, budget);
  };
  using Why = model::Gap::Why;
  for (const char* budget : {"overflow>4454", "in_use_peak>100%", "created_ratio>9", "missed>0", "lost_counts>0"}) {
    CHECK(state(Why::kNotSampled, {}, budget)
              .words.find("the capture has a hole: twtrace took no sample for 2.5 s at +2.0s; the rest has ") == 0);
    CHECK(state(Why::kSuspended, {}, budget).words.find("the capture has a hole: the host slept for 2.5 s") == 0);
  }
  for (const char* budget : {"in_use_peak>100%", "missed>0", "in_use_peak{netns=host}>100%"}) {
    CHECK(state(Why::kNotRead, 1, budget).state == Verdict::State::kNotMeasurable);
    CHECK(state(Why::kClockSet, {}, budget).state == Verdict::State::kKept);
  }
  CHECK(state(Why::kNotRead, 9, "in_use_peak{netns=host}>100%").state == Verdict::State::kKept);
  CHECK(state(Why::kNotRead, 1, "overflow>4454").state == Verdict::State::kKept);
  CHECK(state(Why::kClockSet, {}, "created_ratio>9").state == Verdict::State::kNotMeasurable);
  CHECK(state(Why::kNotSampled, {}, "overflow>0").state == Verdict::State::kBreached);
}

TEST_CASE("a capture during which the clock was set says so, and fails only budgets that compare phases") {
  const auto recording = test::deploy();
  recording->editable().gaps = {{model::Gap::Why::kClockSet, test::kTime - 9000, test::kTime + 1000, {}}};
  const std::string words =
      "the clock was set during the capture: its times and phases may be wrong, its counts are not";
  CHECK(report::headline(report_of(*recording)).ends_with("; " + words));
  CHECK(report::missing(report_of(*recording)).empty());
  CHECK(verdict(*recording, "overflow>4454").state == Verdict::State::kKept);
  CHECK(verdict(*recording, "created_ratio>9").words.starts_with(words));
  recording->editable().command->started_unix_ms = test::kTime - 8000;  // no sample is before it, as the clock says
  CHECK(verdict(*recording, "created_ratio>9").words == words);
}

TEST_CASE("the headline says what is missing, and no more than is known") {
  HandMade quiet;
  quiet.sample(4999);
  quiet.editable().ended_unix_ms.reset();
  CHECK(report::headline(report_of(quiet)) ==
        "the capture was cut: what happened after its last sample is missing; in the rest, nothing was refused; the "
        "table was 99% full at most");
  const auto recording = test::deploy();
  recording->editable().gaps = {{model::Gap::Why::kNotSampled, test::kTime, test::kTime + 3000, {}},
                                {model::Gap::Why::kNotSampled, test::kTime + 9000, test::kTime + 12000, {}}};
  CHECK(report::headline(report_of(*recording))
            .ends_with("; the capture has a hole: twtrace took no sample for 6.0 s (2 times, the first at +0.0s)"));
}

TEST_CASE("a full, idle namespace beside a busy one: headline, verdict and culprit speak of the same") {
  HandMade recording;
  recording.namespaces.push_back({2, 4026532000U, "idle", {}, {}});
  model::NetnsRow idle;
  idle.id = 2;
  idle.netns = 4026532000U;
  idle.name = "idle";
  idle.limit = 100;
  idle.in_use = 100;
  recording.more = {idle};
  recording.act({1, "busy", "busy.service", model::Role::kServer, 80, made(1000)});
  recording.sample(1000);
  report::Report report = report_of(recording, {"in_use_peak>80%", "in_use_peak>10", "created_per_s_peak>10"});
  CHECK(report::headline(report) == "nothing was refused; the fullest table, of netns idle, was 100% full at most");
  CHECK(report.verdicts[0].words.find("100.0% of the limit (100 in use) in netns idle") == 0);
  CHECK(report.verdicts[0].words.find("its buckets are older than the capture") != std::string::npos);
  CHECK_FALSE(report.verdicts[0].culprit);
  CHECK(report.verdicts[1].culprit.value().process->comm == "busy");
  CHECK(report.verdicts[1].words.find("in netns host") != std::string::npos);
  CHECK(report.verdicts[2].words == "1.0k/s in netns host");

  recording.act({2, "small", "small.service", model::Role::kClient, 443, made(7), 2});
  recording.more[0].counts = made(7);
  recording.sample(1000);
  report = report_of(recording, {"in_use_peak>80%"});
  CHECK(report.verdicts[0].culprit.value().process->comm == "small");
  CHECK(report.verdicts[0].culprit_count == 7);
  CHECK(report.verdicts[0].culprit_share == 1.0);
}

TEST_CASE("the culprit of a peak is of the phase with the peak") {
  HandMade recording;
  recording.editable().command = model::CapturedCommand{{"x"}, test::kTime + 3000, test::kTime + 4000, 0, std::nullopt};
  for (int i = 0; i < 3; ++i) {
    recording.act({1, "steady", "steady.service", model::Role::kServer, 80, made(100)});
    recording.sample(300);
  }
  recording.act({2, "burst", "burst.service", model::Role::kServer, 81, made(150)});
  recording.sample(200);
  for (int i = 0; i < 3; ++i) {
    recording.act({3, "late", "late.service", model::Role::kServer, 82, made(110)});
    recording.sample(250);
  }
  const report::Report report = report_of(recording, {"created_per_s_peak>1", "in_use_peak>1", "created>1"});
  const auto culprit = [&](std::size_t verdict) { return report.verdicts[verdict].culprit.value().process->comm; };
  CHECK(culprit(0) == "burst");
  CHECK(report.verdicts[0].culprit_count == 150);
  CHECK(culprit(1) == "steady");
  CHECK(report.verdicts[1].culprit_count == 300);
  CHECK(report.verdicts[1].culprit_share == 1.0);
  CHECK(culprit(2) == "late");
}

TEST_CASE("the culprit of a full table is who held it, not who created most before") {
  HandMade recording;
  recording.netns.limit = 1000;
  recording.act({1, "nginx", "web.service", model::Role::kServer, 80, made(1300)});
  recording.table.set(1, made(1300), 0, false);
  recording.act({2, "customers", "customers.service", model::Role::kClient, 5432, made(1000)});
  recording.table.set(2, made(1000), 1000, false);
  recording.sample(1000);
  const report::Report report = report_of(recording, {"in_use_peak>80%"});
  REQUIRE(report.troubles.size() == 1);
  CHECK(report.troubles[0].holder.value().name == "customers.service");
  CHECK(report.verdicts[0].culprit.value().process->comm == "customers");
  CHECK(report.verdicts[0].culprit_count == 1000);
  CHECK(report.verdicts[0].culprit_share == 1.0);
}

TEST_CASE("a refusal counts as a full table, although no sample saw it full") {
  HandMade recording;
  recording.act({1, "a", "a.service", model::Role::kServer, 80, made(4995, 0, 74)});
  recording.sample(4995);
  const Verdict full = verdict(recording, "in_use_peak>=100%");
  CHECK(full.state == Verdict::State::kBreached);
  CHECK(full.words == "100.0% of the limit (it refused 74; 4,995 in use at most in a sample)");
  CHECK(full.culprit.value().process->comm == "a");
  CHECK(verdict(recording, "in_use_peak>=5000").words ==
        "5,000, the limit (it refused 74; 4,995 in use at most in a sample)");
  CHECK(verdict(recording, "in_use_peak>5000").state == Verdict::State::kKept);
  CHECK(verdict(recording, "in_use_peak>100%").state == Verdict::State::kKept);

  HandMade lowered;  // and raised again within one interval
  lowered.sample(10);
  lowered.act({1, "a", "a.service", model::Role::kServer, 80, made(0, 0, 3)});
  lowered.netns.limit = 4000;
  lowered.sample(20);
  CHECK(verdict(lowered, "in_use_peak>99%").state == Verdict::State::kBreached);
  CHECK(verdict(lowered, "in_use_peak>=4000").measured == 4000.0);  // one of both limits was reached

  HandMade missed;
  missed.netns.missed.overflow = 3;
  missed.sample(20);
  CHECK(verdict(missed, "in_use_peak>80%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(missed, "in_use_peak>80").state == Verdict::State::kKept);
}

TEST_CASE("a namespace whose table was in no sample never lets a budget for tables pass") {
  const auto recorded = [](const model::Counters& counts, bool later, std::uint64_t host_in_use = 10) {
    auto recording = std::make_unique<HandMade>();
    model::NetnsRow brief;  // it came and went between two samples
    brief.id = 2;
    brief.netns = 4026532000U;
    brief.gone = true;
    brief.counts = counts;
    recording->namespaces.push_back({2, brief.netns, "", {}, {}});
    if (later) recording->sample(host_in_use);
    recording->more = {brief};
    recording->act({1, "ci", "ci.service", model::Role::kClient, 443, counts, 2, true});
    recording->sample(host_in_use);
    return recording;
  };
  const auto refusing = recorded(made(50, 0, 30), true);
  CHECK(verdict(*refusing, "in_use_peak>=100%").state == Verdict::State::kBreached);
  CHECK(verdict(*refusing, "in_use_peak>=100%").words ==
        "100.0% of the limit (it refused 30; no sample has how many were in use) in netns 4026532000");
  CHECK(verdict(*refusing, "in_use_peak>=100%").culprit.value().process->comm == "ci");
  CHECK(verdict(*refusing, "in_use_peak>20000").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*refusing, "in_use_peak{netns=host}>80%").state == Verdict::State::kKept);

  const auto busy = recorded(made(50), true);
  CHECK(verdict(*busy, "in_use_peak>80%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*busy, "in_use_peak>80%").words ==
        "no sample has how many buckets were in use in a namespace that came and went; ask for one that stayed, as in "
        "in_use_peak{netns=host}; the rest has 0.2% of the limit (10 in use) in netns host");
  CHECK(verdict(*busy, "in_use_peak{netns=id:2}>80%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*busy, "in_use_peak>40").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(*busy, "in_use_peak>50").state == Verdict::State::kKept);  // it had no more than it created
  CHECK(verdict(*recorded(made(50), false), "in_use_peak>50").state == Verdict::State::kNotMeasurable);  // or had it?
  CHECK(verdict(*recorded(made(50), true, 4900), "in_use_peak>80%").state == Verdict::State::kBreached);
  for (const bool later : {false, true}) {
    CHECK(verdict(*recorded({}, later), "in_use_peak>80%").state == Verdict::State::kKept);
  }
}

TEST_CASE("a connect without a local port never lets a budget for local ports pass") {
  HandMade recording;
  model::Counters failed = made(9);
  failed.no_port = 40;
  recording.act({7, "php-fpm", "php.service", model::Role::kClient, 6379, failed});
  recording.head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {812, 1000}, 1, 0, 0, 0}});
  recording.sample(1);
  CHECK(verdict(recording, "ports_taken_peak>80%").state == Verdict::State::kBreached);
  CHECK(verdict(recording, "ports_taken_peak>90%").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "ports_taken_peak>90%").words ==
        "connect() found no local port 40 times: all that it could choose were taken then; the rest has 81.2% (812 of "
        "1,000) towards 10.0.0.9:6379");
  CHECK(verdict(recording, "ports_taken_peak>900").state == Verdict::State::kNotMeasurable);
  CHECK(verdict(recording, "ports_taken_peak>100%").state == Verdict::State::kKept);
  HandMade unseen;
  unseen.act({7, "php-fpm", "php.service", model::Role::kClient, 6379, failed});
  unseen.head.port_use = std::make_shared<std::vector<model::PortUse>>();
  unseen.sample(1);
  CHECK(verdict(unseen, "ports_taken_peak>80%").state == Verdict::State::kNotMeasurable);
}

TEST_CASE("a budget for the local ports is about the destination where most are taken, or a pool of bind()") {
  HandMade recording;
  model::NetnsRow blue;
  blue.id = 2;
  blue.netns = 4026532000U;
  blue.name = "blue";
  recording.namespaces.push_back({2, blue.netns, blue.name, {}, {}});
  recording.more = {blue};
  const auto judged = [&](std::vector<model::PortUse> uses, const std::string& budget) {
    HandMade copy;
    copy.namespaces = recording.namespaces;
    copy.more = recording.more;
    copy.sample(1);
    copy.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::move(uses));
    copy.sample(1);
    copy.head.port_use = std::make_shared<std::vector<model::PortUse>>();
    copy.sample(1);
    return report_of(copy, {budget.c_str()}).verdicts.at(0);
  };
  const model::PortUse full{4026531840U, {"10.0.0.9", std::uint16_t{6379}}, {812, 1000}, 1, 0, 0, 0};
  const model::PortUse other{4026532000U, {"10.0.0.8", std::uint16_t{80}}, {500, 28232}, 2, 0, 0, 0};
  const model::PortUse pool{4026532000U, {}, {600, 600}, 2, 550, 0, 0};
  CHECK(judged({full, other}, "ports_taken_peak>80%").state == Verdict::State::kBreached);
  CHECK(judged({full, other}, "ports_taken_peak>80%").measured == 81.2);
  CHECK(judged({full, other}, "ports_taken_peak>80%").words.find("81.2% (812 of 1,000) towards 10.0.0.9:6379") == 0);
  CHECK(judged({full, other}, "ports_taken_peak>82%").state == Verdict::State::kKept);
  CHECK(judged({full, other}, "ports_taken_peak>800").measured == 812.0);
  CHECK(judged({full, other}, "ports_taken_peak{netns=blue}>80%").state == Verdict::State::kKept);
  CHECK(judged({full, other}, "ports_taken_peak{netns=blue}>499").state == Verdict::State::kBreached);
  CHECK(judged({full, other, pool}, "ports_taken_peak{netns=blue}>91%").state == Verdict::State::kBreached);
  CHECK(judged({full, other, pool}, "ports_taken_peak{netns=blue}>92%").state == Verdict::State::kKept);
  CHECK(judged({pool}, "ports_taken_peak>91%").words.find("91.7% (550 of 600) towards any destination") == 0);
  // What a capture does not keep is not taken for nothing.
  CHECK(judged({}, "ports_taken_peak>1%").state == Verdict::State::kKept);
  CHECK(judged({}, "ports_taken_peak>0.5%").state == Verdict::State::kNotMeasurable);
  CHECK(judged({}, "ports_taken_peak>0").state == Verdict::State::kNotMeasurable);
  CHECK(judged({}, "ports_taken_peak>700").state == Verdict::State::kKept);
  CHECK(judged({}, "ports_taken_peak>650").state == Verdict::State::kNotMeasurable);  // 1% of the largest range is more
  CHECK(judged({}, "ports_taken_peak{netns=nowhere}>80%").state == Verdict::State::kNotMeasurable);
  std::vector<model::PortUse> many(8, full);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].destination.port = static_cast<std::uint16_t>(80 + i);
  CHECK(judged(many, "ports_taken_peak{netns=blue}>80%").state == Verdict::State::kNotMeasurable);
  // The same for a report about that namespace alone, and where it is not said whose ports they are.
  const auto of_blue = [&](std::vector<model::PortUse> uses) {
    HandMade copy;
    copy.namespaces = recording.namespaces;
    copy.more = recording.more;
    copy.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::move(uses));
    copy.sample(1);
    const report::Selection only{view::parse_selector("netns=blue", view::Grammar::kFilter).value(), "--netns blue"};
    const std::vector<report::Budget> budget = {report::parse_budget("ports_taken_peak>80%").value()};
    return report::build_report(copy, budget, report::Partial::kFails, only).value().verdicts.at(0);
  };
  CHECK(of_blue(many).state == Verdict::State::kNotMeasurable);
  CHECK(of_blue({full}).state == Verdict::State::kKept);
  model::PortUse anybodys = full;
  anybodys.netns_id = std::nullopt;
  CHECK(of_blue({anybodys}).state == Verdict::State::kNotMeasurable);
  // The largest count may be another one's than the largest share.
  HandMade twice;
  model::PortUse large = full;
  large.ports = {20000, 28232};
  for (const auto& ports : {large.ports, full.ports}) {
    model::PortUse use = full;
    use.ports = ports;
    twice.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{use});
    twice.sample(1);
  }
  CHECK(verdict(twice, "ports_taken_peak>10000").words == "20,000 towards 10.0.0.9:6379");
  CHECK(verdict(twice, "ports_taken_peak>80%").words.starts_with("81.2% (812 of 1,000) towards "));
  HandMade owned;
  owned.act({7, "php-fpm", "php.service", model::Role::kClient, 6379, made(9)});
  const model::PeerKey peer{model::folded(owned.table.at(7)->identity), full.destination};
  for (int i = 0; i < 9; ++i) owned.peers.count(peer, model::Event{});
  owned.head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{full});
  owned.sample(1);
  CHECK(report_of(owned, {"ports_taken_peak>80%"}).verdicts.at(0).words ==
        "81.2% (812 of 1,000) towards 10.0.0.9:6379, most of its buckets by php-fpm of php.service (client :6379)");
  HandMade uncounted;
  uncounted.sample(1);
  CHECK(report_of(uncounted, {"ports_taken_peak>80%"}).verdicts.at(0).state == Verdict::State::kNotMeasurable);
}
