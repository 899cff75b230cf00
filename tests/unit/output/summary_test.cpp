// SPDX-License-Identifier: Apache-2.0
#include "output/summary.hpp"

#include <string>

#include "output/table.hpp"
#include "support/catch.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;

namespace {

std::string text(const model::Snapshot& snapshot) { return output::summary(snapshot, 0, output::Color::kNever); }

bool has(const std::string& whole, const std::string& part) { return whole.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("summary of one namespace, golden") {
  CHECK(text(test::snapshot()) ==
        "2026-01-02T03:04:05Z  web1  fentry  interval 1.0s\n"
        "! FULL worker.service holds 4,903 of 5,000 (98%)  refused now: worker.service 312/s, 100%\n"
        "TIME_WAIT 4,998/5,000 (99%)  netns host  created 812/s  ! overflow 312/s total 1,204  = kernel\n");
}

TEST_CASE("the first lines are the troubles, or that there is none") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.troubles[0].holder->name = "a\rb";
  snapshot.troubles.resize(7, snapshot.troubles[0]);
  CHECK(has(text(snapshot), "\n! FULL a\\x0Db holds 4,903 of 5,000 (98%)  refused now: worker.service 312/s, 100%\n"));
  CHECK(has(text(snapshot), "%\n+2 more troubles\nTIME_WAIT "));
  CHECK(
      has(output::summary(snapshot, 79, output::Color::kNever), "(98%)\n  refused now: worker.service 312/s, 100%\n"));
  snapshot.troubles.clear();
  snapshot.namespaces[0].counts = {};
  snapshot.namespaces[0].in_use = 12;
  CHECK(has(text(snapshot), "\nno table is full, no bucket was refused\nTIME_WAIT "));
}

TEST_CASE("where no namespace was selected, nothing is said to be in order") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.troubles.clear();
  snapshot.namespaces.clear();
  const std::string words = "no network namespace matches 'nos*' yet";
  const std::string told = output::summary(snapshot, 79, output::Color::kNever, words);
  CHECK(has(told, "\n" + words + "\n"));
  CHECK_FALSE(has(told, "no bucket was refused"));
  output::TableOptions options;
  options.no_netns = words;
  CHECK(has(output::snapshot_table(snapshot, options), "\n" + words + "\n"));
}

TEST_CASE("the worst trouble in one line") {
  model::Snapshot snapshot = test::snapshot();
  const std::string worst = "FULL worker.service holds 4,903 of 5,000 (98%), refused now: worker.service 312/s, 100%";
  CHECK(output::trouble_summary(snapshot) == worst);
  snapshot.troubles.resize(3, snapshot.troubles[0]);
  CHECK(output::trouble_summary(snapshot) == worst + ", +2 more troubles");
  snapshot.troubles.resize(2, snapshot.troubles[0]);
  CHECK(output::trouble_summary(snapshot) == worst + ", +1 more trouble");
  snapshot.troubles.clear();
  snapshot.namespaces[0].counts = {};
  snapshot.namespaces[0].in_use = 12;
  CHECK(output::trouble_summary(snapshot) == "no table is full, no bucket was refused");
}

TEST_CASE("where the table goes is said behind how full it is") {
  model::Snapshot snapshot = test::snapshot();
  const auto told = [&](const model::Forecast& forecast) {
    snapshot.namespaces[0].forecast = forecast;
    return text(snapshot);
  };
  using State = model::Forecast::State;
  CHECK(has(told({}), "(99%)  netns host"));
  CHECK(has(told({State::kSteady, 4998, {}}), "(99%)  level at 4,998  netns host"));
  CHECK(has(told({State::kFull, 9000, {}}), "(99%)  ! FULL, needs ~9,000  netns host"));
  CHECK(has(told({State::kFilling, 9000, 1.2}), "(99%)  ! full in ~2 s  netns host"));
  CHECK(has(told({State::kDraining, 0, 40}), "(99%)  draining, empty in ~40 s  netns host"));
  snapshot.namespaces[0].gone = true;
  CHECK(has(told({State::kSteady, 4998, {}}), "(99%)  netns host (gone)"));
}

TEST_CASE("the cross-check with the kernel is always said") {
  model::Snapshot snapshot = test::snapshot();
  model::NetnsRow& netns = snapshot.namespaces[0];
  netns.reconciled = false;
  netns.missed = {3, 0};
  CHECK(has(text(snapshot), "  missed 3 created\n"));
  netns.missed = {0, 2};
  CHECK(has(text(snapshot), "  missed 2 overflow\n"));
  netns.missed = {0, 0};
  CHECK(has(text(snapshot), "  != kernel\n"));
  netns.reconciled.reset();
  netns.missed = {};
  CHECK(has(text(snapshot), "  kernel n/a\n"));
  netns.missed.overflow = 2;  // only one counter can be compared
  CHECK(has(text(snapshot), "  missed 2 overflow\n"));
}

TEST_CASE("unknown figures are dashes, and 100% means full") {
  model::Snapshot snapshot = test::snapshot();
  model::NetnsRow& netns = snapshot.namespaces[0];
  netns.in_use = 4999;
  CHECK(has(text(snapshot), "4,999/5,000 (99%)"));
  netns.in_use = 5000;
  CHECK(has(text(snapshot), "5,000/5,000 (100%)"));
  netns.limit = 0;
  CHECK(has(text(snapshot), "5,000/0  netns"));
  netns.limit.reset();
  netns.in_use.reset();
  CHECK(has(text(snapshot), "TIME_WAIT -/-  netns host"));
}

TEST_CASE("a namespace without a name shows its number, a dead one is marked") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.namespaces[0].name.clear();
  snapshot.namespaces[0].gone = true;
  CHECK(has(text(snapshot), "netns 4026531840 (gone)"));
}

TEST_CASE("namespaces beyond the third are summed, and what they missed is said") {
  model::Snapshot snapshot = test::snapshot();
  const model::NetnsRow first = snapshot.namespaces[0];
  snapshot.namespaces = {first, first, first, first, first};
  snapshot.namespaces[3].missed.created = 3;
  snapshot.namespaces[3].reconciled = false;
  CHECK(has(text(snapshot),
            "\n+2 more namespaces  created 1.6k/s  ! overflow 624/s total 2,408  missed 3 created  1 != kernel\n"));
  snapshot.namespaces[3] = first;
  snapshot.namespaces[4].gone = true;
  CHECK(has(text(snapshot), "\n+2 more namespaces, 1 of them gone  "));
  snapshot.namespaces[3].gone = true;
  CHECK(has(text(snapshot), "\n+2 more namespaces, all gone  "));
  snapshot.namespaces[3] = snapshot.namespaces[4] = first;
  CHECK(has(text(snapshot), "total 2,408  = kernel\n"));
  snapshot.namespaces[3].reconciled.reset();  // one is unknown, so not all are equal
  CHECK(has(text(snapshot), "total 2,408  kernel n/a\n"));
  snapshot.namespaces.resize(3);
  CHECK_FALSE(has(text(snapshot), "more namespace"));
}

TEST_CASE("a loss line appears only when something was lost") {
  model::Snapshot snapshot = test::snapshot();
  CHECK_FALSE(has(text(snapshot), "lost"));
  snapshot.lost.recursion_misses = 0;
  CHECK_FALSE(has(text(snapshot), "lost"));
  snapshot.lost = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  CHECK(has(text(snapshot),
            "\nlost: events 1  counts 2  rows_full 3  rows_busy 4  netns_full 5  sockets_full 6  buckets_full 7  "
            "cgroups_full 8  listeners_full 9  pairs_lost 10  refused_full 11  recursion_misses 12\n"));
}

TEST_CASE("the age of live is said when it is not counted event by event") {
  model::Snapshot snapshot = test::snapshot();
  CHECK_FALSE(has(text(snapshot), "live"));
  snapshot.live_age_s = 2.1;
  CHECK(has(text(snapshot), "live counted 2.1s ago"));
}

TEST_CASE("the first lines of logs of an interval are shown, and how many more there are") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.logs = std::make_shared<const std::vector<model::Log>>(
      std::vector<model::Log>{{model::Log::Kind::kFile, "/var/log/a\x1b.log", "refused", {}},
                              {model::Log::Kind::kJournal, "web.service", "a|b", {}}});
  std::vector<model::LogLine> lines = {{1, test::kTime, 1, "broken pipe\r"}, {0, test::kTime + 1, 20, {}}};
  const auto told = [&](std::size_t width) {
    snapshot.log_lines = std::make_shared<const std::vector<model::LogLine>>(lines);
    return output::summary(snapshot, width, output::Color::kNever);
  };
  CHECK(has(told(0), "\nlog 03:04:05.678 journal of web.service: broken pipe\\x0D\nlog +20 more lines\n"));
  lines.resize(1);
  CHECK_FALSE(has(told(0), "more line"));
  lines.resize(6, {0, test::kTime + 2, 1, std::string(500, 'x')});
  CHECK(has(told(0), "\nlog 03:04:05.680 /var/log/a\\x1B.log: " + std::string(500, 'x') + "\nlog +1 more line\n"));
  CHECK(has(told(79), "\nlog 03:04:05.680 /var/log/a\\x1B.log: " + std::string(41, 'x') + "~\n"));
}
