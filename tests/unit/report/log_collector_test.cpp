// SPDX-License-Identifier: Apache-2.0
#include "report/log_collector.hpp"

#include <memory>

#include "report/report.hpp"
#include "support/catch.hpp"
#include "support/deploy.hpp"

using namespace twtrace;
using namespace twtrace::report;

namespace {

using Lines = std::vector<model::LogLine>;

void sample(test::HandMade& recording, const model::Counters& counts, Lines lines) {
  recording.unattributed += counts;
  recording.head.log_lines = lines.empty() ? nullptr : std::make_shared<const Lines>(std::move(lines));
  recording.sample(0);
}

model::Counters resets(std::uint64_t avoidable, std::uint64_t to_peers, std::uint64_t received, std::uint64_t late) {
  model::Counters counts;
  counts.peer_resets_avoidable = avoidable;
  counts.peer_resets = to_peers;
  counts.resets_received = received;
  counts.resets_late = late;
  return counts;
}

test::HandMade& with_logs(test::HandMade& recording) {
  recording.editable().probe.sees = {true, true, true, true};
  recording.editable().logs = {{model::Log::Kind::kFile, "a.log", "x", {}},
                               {model::Log::Kind::kJournal, "b.service", "y", {0, 0, "gone"}}};
  return recording;
}

Report built(test::HandMade& recording) {
  auto report = build_report(recording, {});
  REQUIRE(report);
  return std::move(*report);
}

}  // namespace

TEST_CASE("lines stand beside the resets of their interval") {
  test::HandMade recording;
  with_logs(recording);
  sample(recording, {}, {{0, 11, 1, "nothing"}});
  sample(recording, resets(0, 0, 3, 0), {{1, 12, 1, "received"}, {0, 13, 5, {}}});
  sample(recording, resets(2, 7, 1, 0), {{0, 14, 1, "avoidable"}, {0, 15, 1, "again"}});
  sample(recording, resets(0, 1, 0, 0), {{0, 16, 1, "to a peer, with data"}});
  sample(recording, resets(0, 0, 0, 4), {{1, 17, 1, "late"}});
  sample(recording, resets(1, 1, 0, 0), {});
  sample(recording, {}, {{1, 18, 1, "nothing again"}, {0, 19, 100, {}}});
  const LogsReport logs = built(recording).logs;
  CHECK(logs.resets_known);
  CHECK(logs.lines == LinesBeside{2, 1 + 5 + 1 + 1, 1 + 1 + 100});
  REQUIRE(logs.logs.size() == 2);
  CHECK(logs.logs[0].lines == LinesBeside{2, 5 + 1, 1 + 100});
  CHECK(logs.logs[0].without_text == 105);
  CHECK(logs.logs[1].lines == LinesBeside{0, 2, 1});
  CHECK(logs.logs[1].log.gaps.problem == "gone");
  REQUIRE((logs.first[0] && logs.first[1] && logs.first[2]));
  CHECK(logs.first[0]->text == "avoidable");
  CHECK(logs.first[1]->text == "received");
  CHECK(logs.first[1]->log == 1);
  CHECK(logs.first[1]->time_unix_ms == 12);
  CHECK(logs.first[2]->text == "nothing");
  REQUIRE(logs.timeline.size() == 7);
  CHECK(logs.timeline[2].lines == 2);
  CHECK(logs.timeline[2].resets == 8);
  CHECK(logs.timeline[2].avoidable == 2);
  CHECK(logs.timeline[6].lines == 101);
  CHECK(logs.timeline[6].resets == 0);
}

TEST_CASE("what cannot be seen is not claimed to be absent") {
  test::HandMade recording;
  with_logs(recording);
  recording.editable().probe.sees.resets_sent = false;
  sample(recording, resets(0, 0, 3, 0), {{0, 11, 1, "x"}});
  const LogsReport logs = built(recording).logs;
  CHECK_FALSE(logs.resets_known);
  CHECK(sum(logs.lines) == 1);
}

TEST_CASE("a long capture keeps every line in a timeline of bounded length") {
  test::HandMade recording;
  with_logs(recording);
  for (int i = 0; i < 3001; ++i) sample(recording, resets(0, 0, 1, 0), {{0, i, 1, "x"}});
  const LogsReport logs = built(recording).logs;
  CHECK(logs.timeline.size() <= kMaxTimelinePoints);
  std::uint64_t lines = 0;
  std::uint64_t resets = 0;
  for (const LogPoint& point : logs.timeline) {
    lines += point.lines;
    resets += point.resets;
  }
  CHECK(lines == 3001);
  CHECK(resets == 3001);
  CHECK(logs.lines[1] == 3001);
}

TEST_CASE("a capture without logs has nothing to say of them") {
  test::HandMade recording;
  sample(recording, resets(0, 0, 3, 0), {});
  const LogsReport logs = built(recording).logs;
  CHECK(logs.logs.empty());
  CHECK(logs.timeline.empty());
}
