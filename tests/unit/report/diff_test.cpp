// SPDX-License-Identifier: Apache-2.0
#include "report/diff.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/deploy.hpp"

using namespace twtrace;
using test::HandMade;
using test::made;

namespace {

report::Report report_of(HandMade& recording) {
  recording.editable().ended_unix_ms = recording.now_unix_ms();
  return report::build_report(recording, {}).value();
}

report::Diff diff_of(HandMade& before, HandMade& after, std::initializer_list<const char*> budgets = {}) {
  std::vector<report::Budget> parsed;
  for (const char* text : budgets) parsed.push_back(report::parse_budget(text).value());
  return report::diff_reports(report_of(before), report_of(after), parsed);
}

void web(HandMade& recording, const model::Counters& counts) {
  recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, counts});
}

}  // namespace

TEST_CASE("equal captures do not differ, whatever became of their buckets") {
  HandMade before;
  HandMade after;
  web(before, made(5));
  model::Counters counts = made(5);
  counts.expired = 3;
  web(after, counts);
  before.sample(5);
  after.sample(5);
  const report::Diff diff = diff_of(before, after);
  CHECK(!diff.differ());
  CHECK(diff.warnings.empty());
  REQUIRE(diff.rows.size() == 1);
  CHECK(!diff.rows[0].differs);
}

TEST_CASE("rows are matched by service, comm, role and port, and pids and namespaces are merged") {
  HandMade before;
  HandMade after;
  after.namespaces.push_back({2, 4026532000U, "blue", {}, {}});
  model::NetnsRow blue;
  blue.id = 2;
  blue.netns = 4026532000U;
  blue.name = "blue";
  blue.counts = made(4);
  after.more = {blue};
  web(before, made(10));
  after.act({5, "nginx", "web.service", model::Role::kServer, 8080, made(6)});
  after.act({6, "nginx", "web.service", model::Role::kServer, 8080, made(4), 2});
  before.sample(1);
  after.sample(1);
  CHECK(!diff_of(before, after).differ());
}

TEST_CASE("of two namespaces that are compared, different names are worth a warning") {
  HandMade before;
  HandMade after;
  after.netns.name = "blue";
  web(before, made(10));
  web(after, made(10));
  before.sample(1);
  after.sample(1);
  REQUIRE(diff_of(before, after).warnings.size() == 1);
  CHECK(diff_of(before, after).warnings[0] == "namespaces differ: host before, blue after");
}

TEST_CASE("services of one name are told apart, but a container is known by its name") {
  const auto act = [](HandMade& recording, std::uint32_t slot, const base::Service& service, std::uint64_t created) {
    model::Identity identity;
    identity.netns = 1;
    identity.pid = slot;
    identity.comm = "worker";
    identity.service = service;
    recording.table.add(slot, slot, identity);
    recording.table.set(slot, made(created), 0, false);
  };
  HandMade before;
  HandMade after;
  act(before, 1, {"systemd", "w.service", "/a/w.service", {}, {}}, 10);
  act(before, 2, {"docker", "web", "/docker/0123456789ab", {}, "0123456789ab"}, 4);
  act(before, 3, {"docker", "web", "/docker/f00dfeedf00d", {}, "f00dfeedf00d"}, 3);
  act(after, 1, {"systemd", "w.service", "/a/w.service", {}, {}}, 10);
  act(after, 2, {"docker", "web", "/docker/feedf00dfeed", {}, "feedf00dfeed"}, 7);
  act(after, 4, {"systemd", "w.service", "/b/w.service", {}, {}}, 1);
  before.sample(5);
  after.sample(5);
  const report::Diff diff = diff_of(before, after);
  REQUIRE(diff.rows.size() == 3);
  CHECK(diff.rows[0].key.service == "b/w.service");
  CHECK(diff.rows[0].row.shown_service() == "b/w.service");
  CHECK(!diff.rows[0].before);
  for (const report::DiffRow& row : {diff.rows[1], diff.rows[2]}) {
    CHECK((row.key.service == "a/w.service" || row.key.service == "web"));
    CHECK(!row.differs);
  }
}

TEST_CASE("the largest change comes first, and new and gone rows are told") {
  HandMade before;
  HandMade after;
  web(before, made(100));
  web(after, made(90));
  before.act({2, "old", "old.service", model::Role::kClient, 1, made(50)});
  after.act({3, "new", "new.service", model::Role::kClient, 1, made(0, 30)});
  before.act({4, "same", "same.service", model::Role::kClient, 1, made(7)});
  after.act({4, "same", "same.service", model::Role::kClient, 1, made(7, 0, 2)});
  before.sample(1);
  after.sample(1);
  const report::Diff diff = diff_of(before, after);
  CHECK(diff.differ());
  REQUIRE(diff.rows.size() == 4);
  CHECK(diff.rows[0].key.comm == "old");
  CHECK(!diff.rows[0].after);
  CHECK(diff.rows[1].key.comm == "new");
  CHECK(!diff.rows[1].before);
  CHECK(diff.rows[2].key.comm == "nginx");
  CHECK(diff.rows[3].key.comm == "same");
  CHECK(diff.rows[3].differs);
}

TEST_CASE("with a threshold only what changes by more than its part of the whole differs") {
  HandMade before;
  HandMade after;
  web(before, made(90, 0, 20));
  before.act({2, "cron", "cron.service", model::Role::kClient, 25, made(10)});
  web(after, made(100, 0, 18));  // 10 more of 100, 2 fewer refused of 20
  after.act({3, "ssh", "ssh.service", model::Role::kServer, 22, made(1)});
  before.sample(1);
  after.sample(1);
  const auto differing = [&](double percent) {
    const auto diff = report::diff_reports(report_of(before), report_of(after), {}, report::Partial::kFails, percent);
    return std::count_if(diff.rows.begin(), diff.rows.end(), [](const report::DiffRow& row) { return row.differs; });
  };
  CHECK(differing(0) == 3);
  CHECK(differing(0.9) == 3);
  CHECK(differing(1) == 2);
  CHECK(differing(9.9) == 2);
  CHECK(differing(10) == 0);
  after.sample(1);  // twice as long: 50 per second instead of 90, and 10 instead of 0 of cron
  CHECK(differing(39) == 1);
  CHECK(differing(54) == 1);  // 9 refused per second instead of 20
  CHECK(differing(55) == 0);
}

TEST_CASE("what was never refused differs by the first refusal, whatever the threshold") {
  HandMade before;
  HandMade after;
  web(before, made(1000));
  web(after, made(1000, 0, 1));
  before.sample(1);
  after.sample(1);
  CHECK(report::diff_reports(report_of(before), report_of(after), {}, report::Partial::kFails, 50.0).differ());
}

TEST_CASE("each way in which somebody is hurt is held against the threshold, where both captures know of it") {
  struct Harm {
    std::uint64_t model::Counters::*count;
    bool model::Sight::*seen;
  };
  const auto harm = GENERATE(Harm{&model::Counters::no_port, &model::Sight::no_port},
                             Harm{&model::Counters::resets_felt, &model::Sight::resets_received},
                             Harm{&model::Counters::queue_drops, &model::Sight::queue_drops});
  std::string unknown;
  const auto differ = [&](std::uint64_t hurt_before, std::uint64_t hurt_after, std::optional<double> percent,
                          report::Partial partial = report::Partial::kFails) {
    HandMade before;
    HandMade after;
    model::Counters counts = made(1000);
    counts.*harm.count = hurt_before;
    web(before, counts);
    counts.*harm.count = hurt_after;
    web(after, counts);
    before.editable().probe.sees.*harm.seen = hurt_before != 0;
    after.editable().probe.sees.*harm.seen = true;
    before.sample(1);
    after.sample(1);
    const auto diff = report::diff_reports(report_of(before), report_of(after), {}, partial, percent);
    unknown = diff.unknown;
    return diff.differ();
  };
  CHECK(differ(20, 23, 14.9));
  CHECK(!differ(20, 23, 15));
  CHECK(differ(20, 17, 14.9));
  CHECK(differ(20, 21, {}));
  CHECK(!differ(20, 20, {}));
  CHECK(unknown.empty());
  CHECK(!differ(0, 3, 1));  // the first one did not see it
  CHECK(unknown.starts_with("before does not see "));
  CHECK(!differ(0, 3, {}));
  CHECK(unknown.starts_with("before does not see "));
  CHECK(!differ(0, 0, 1));  // it may have been any number before
  CHECK(unknown.starts_with("before does not see "));
  CHECK(!differ(0, 3, 1, report::Partial::kAllowed));
  CHECK(unknown.empty());
}

TEST_CASE("captures of different lengths are compared per second") {
  HandMade before;
  HandMade after;
  web(before, made(100));
  before.act({2, "steady", "steady.service", model::Role::kClient, 1, made(1000)});
  before.sample(1);
  web(after, made(300));
  after.act({2, "steady", "steady.service", model::Role::kClient, 1, made(2000)});
  after.sample(1);
  after.sample(1);
  const report::Diff diff = diff_of(before, after);
  CHECK(diff.by_rate);
  REQUIRE(diff.warnings.size() == 1);
  CHECK(diff.warnings[0] == "durations differ: 1.0s before, 2.0s after");
  CHECK(diff.rows[0].key.comm == "nginx");  // 100/s to 150/s; the other stays at 1000/s
  CHECK(diff.rows[0].after_per_s == 150);
  CHECK(diff.differ());
}

TEST_CASE("what makes a comparison unfair is said") {
  HandMade before;
  HandMade after;
  after.netns.limit = 6000;
  after.editable().host = {"web2", "6.13.0"};
  after.editable().probe.backend = "kprobe";
  before.sample(1);
  after.sample(1);
  const report::Diff diff = diff_of(before, after);
  CHECK(!diff.differ());
  const std::vector<std::string> expected = {"limits of the fullest namespace differ: 5,000 before, 6,000 after",
                                             "kernels differ: 6.12.0 before, 6.13.0 after",
                                             "hosts differ: web1 before, web2 after",
                                             "backends differ: fentry before, kprobe after"};
  CHECK(diff.warnings == expected);
}

TEST_CASE("budgets are about the later capture, and the ratio compares both") {
  HandMade before;
  HandMade after;
  web(before, made(100));
  web(after, made(250, 0, 1));
  before.sample(1);
  after.sample(1);
  const report::Diff diff =
      diff_of(before, after, {"overflow>0", "created_ratio>2.4", "created_ratio>2.5", "created>250"});
  REQUIRE(diff.after.verdicts.size() == 4);
  CHECK(diff.after.verdicts[0].state == report::Verdict::State::kBreached);
  CHECK(diff.after.verdicts[1].state == report::Verdict::State::kBreached);
  CHECK(diff.after.verdicts[1].measured == 2.5);
  CHECK(diff.after.verdicts[2].state == report::Verdict::State::kKept);
  CHECK(diff.after.verdicts[3].state == report::Verdict::State::kKept);
  CHECK(report::breached(diff.after));
}

TEST_CASE("words of a change") {
  CHECK(report::change_words(5, 5) == "0");
  CHECK(report::change_words(5, 1209) == "+1,204");
  CHECK(report::change_words(22, 5) == "-17");
}

TEST_CASE("the culprit of a ratio between captures is of all the time that was compared") {
  HandMade before;
  HandMade after;
  after.editable().command = model::CapturedCommand{{"x"}, test::kTime + 1000, test::kTime + 2000, 0, std::nullopt};
  web(before, made(1));
  for (int i = 0; i < 3; ++i) before.sample(1);
  web(after, made(500));
  after.sample(1);
  after.act({2, "deploy", "deploy.service", model::Role::kClient, 443, made(20)});
  after.sample(1);
  after.sample(1);
  const report::Diff diff = diff_of(before, after, {"created_ratio>2"});
  const report::Verdict& verdict = diff.after.verdicts.at(0);
  REQUIRE(verdict.state == report::Verdict::State::kBreached);
  CHECK(verdict.culprit.value().process->comm == "nginx");
  CHECK(verdict.culprit_count == 500);
}

TEST_CASE("a ratio between captures needs both of them whole") {
  HandMade before;
  HandMade after;
  web(before, made(5));
  web(after, made(5));
  before.sample(1);
  after.sample(1);
  const std::vector<report::Budget> budgets = {report::parse_budget("created_ratio>2").value(),
                                               report::parse_budget("created>5").value()};
  const auto whole = report::build_report(after, {}).value();
  before.editable().ended_unix_ms.reset();
  const auto cut = report::build_report(before, {}).value();
  const report::Diff diff = report::diff_reports(cut, whole, budgets);
  CHECK(diff.after.verdicts[0].state == report::Verdict::State::kNotMeasurable);
  CHECK(diff.after.verdicts[1].state == report::Verdict::State::kKept);
  CHECK(diff.warnings.at(0) == "before: the capture was cut: what happened after its last sample is missing");
  CHECK(report::diff_reports(cut, whole, budgets, report::Partial::kAllowed).after.verdicts[0].state ==
        report::Verdict::State::kKept);
  CHECK(report::diff_reports(whole, cut, budgets).after.verdicts[1].state == report::Verdict::State::kNotMeasurable);
}

TEST_CASE("what is not known to be the same is not called the same") {
  HandMade recording;
  HandMade more;
  web(recording, made(5));
  web(more, made(6));
  recording.sample(1);
  more.sample(1);
  const auto whole = report::build_report(recording, {}).value();
  const auto other = report::build_report(more, {}).value();
  recording.editable().ended_unix_ms.reset();
  const auto cut = report::build_report(recording, {}).value();
  const auto compared = [](const report::Report& before, const report::Report& after,
                           report::Partial partial = report::Partial::kFails) {
    return report::diff_reports(before, after, {}, partial);
  };
  CHECK(compared(whole, whole).unknown.empty());
  CHECK(compared(cut, whole).unknown.starts_with("before: the capture was cut"));
  const report::Diff diff = compared(whole, cut);
  CHECK_FALSE(diff.differ());
  CHECK(diff.unknown == "after: the capture was cut: what happened after its last sample is missing");
  CHECK(compared(whole, cut, report::Partial::kAllowed).unknown.empty());
  CHECK(compared(cut, other).unknown.empty());  // they differ, whatever is missing
  CHECK(compared(cut, other).differ());
}

TEST_CASE("what no BPF program saw in one of the captures alone makes it unknown whether they differ") {
  HandMade before;
  HandMade after;
  web(before, made(500, 0, 400));
  web(after, made(500, 0, 400));
  before.netns.missed = {1, 0};
  after.netns.missed = {1, 300};
  before.sample(5);
  after.sample(5);
  const report::Diff diff = diff_of(before, after);
  CHECK_FALSE(diff.differ());
  CHECK(diff.unknown == "no BPF program saw 1 created and 0 refused in before, and 1 created and 300 refused in after");
  REQUIRE(diff.warnings.size() == 1);
  CHECK(diff.warnings[0].starts_with("counts that no BPF program saw differ: "));
  const auto within = [&](double percent) {
    return report::diff_reports(report_of(before), report_of(after), {}, report::Partial::kFails, percent).unknown;
  };
  CHECK_FALSE(within(50).empty());
  CHECK(within(80).empty());
  CHECK(diff_of(after, after).unknown.empty());
}

TEST_CASE("a capture without a sample is equal to no other, also if a part may be compared") {
  HandMade empty;
  HandMade other;
  other.sample(1);
  for (HandMade* after : {&empty, &other}) {
    const report::Diff diff = report::diff_reports(report_of(empty), report_of(*after), {}, report::Partial::kAllowed);
    CHECK(diff.unknown == "a capture without a sample says nothing");
  }
}

TEST_CASE("captures in which nobody of the selected names ran are not said to be equal") {
  report::Selection cron;
  cron.selector = view::parse_selector("service=cron", view::Grammar::kFilter).value();
  cron.text = "--service cron";
  const auto selected = [&](std::vector<model::SeenProcess> seen, bool with_row) {
    HandMade recording;
    if (with_row) recording.act({2, "cron", "cron.service", model::Role::kClient, 25, made(1)});
    web(recording, made(5));
    recording.sample(5);
    recording.editable().ended_unix_ms = recording.now_unix_ms();
    recording.editable().seen = std::move(seen);
    return report::build_report(recording, {}, report::Partial::kFails, cron).value();
  };
  const auto compared = [](report::Report before, report::Report after) {
    return report::diff_reports(std::move(before), std::move(after), {}, report::Partial::kAllowed);
  };
  model::SeenProcess ran;
  ran.service.kind = "systemd";
  ran.service.name = "cron.service";
  CHECK(compared(selected({}, false), selected({}, false)).unknown ==
        "no row matches --service cron, and no process of that name was seen; check the spelling");
  CHECK(compared(selected({}, false), selected({ran}, false)).unknown.empty());
  CHECK(compared(selected({ran}, false), selected({}, false)).unknown.empty());
  const report::Diff gone = compared(selected({}, true), selected({}, false));
  CHECK(gone.unknown.empty());
  CHECK(gone.differ());
}
