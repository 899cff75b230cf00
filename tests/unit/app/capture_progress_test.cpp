// SPDX-License-Identifier: Apache-2.0
#include "app/capture_progress.hpp"

#include "report/report.hpp"
#include "support/catch.hpp"
#include "support/deploy.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using app::CaptureProgress;
using app::ReadingProgress;

namespace {

/// Each reading of the time moves it on by `step`.
class SteppedClock final : public base::Clock {
 public:
  explicit SteppedClock(double step_s) : step_ns_(static_cast<std::uint64_t>(step_s * 1e9)) {}
  std::uint64_t monotonic_ns() const override { return now_ns_ += step_ns_; }
  std::uint64_t boottime_ns() const override { return 0; }
  std::int64_t unix_ms() const override { return 0; }

 private:
  std::uint64_t step_ns_;
  mutable std::uint64_t now_ns_ = 0;
};

view::Selector selector(const char* text) { return view::parse_selector(text, view::Grammar::kFilter).value(); }

}  // namespace

TEST_CASE("the words about the table are about the namespaces that were asked for") {
  model::Snapshot head = test::snapshot();
  CHECK(app::table_words(head, {}) == "4,998 of 5,000 in use (99%), ! 1,204 refused");
  model::NetnsRow blue;
  blue.id = 9;
  blue.netns = 4026533000U;
  blue.name = "blue\x1b";
  blue.limit = 100;
  blue.in_use = 7;
  head.namespaces.push_back(blue);
  CHECK(app::table_words(head, {}) == "4,998 of 5,000 in use (99%), ! 1,204 refused");
  CHECK(app::table_words(head, selector("netns=blue service=x")) ==
        "7 of 100 in use (7%) in netns blue\\x1B, 0 refused");
  CHECK(app::table_words(head, selector("netns==red")).empty());
  head.namespaces[1].in_use.reset();
  head.namespaces[1].limit.reset();
  head.namespaces[1].name.clear();
  CHECK(app::table_words(head, selector("netns=4026533000")) == "- in use in netns 4026533000, 0 refused");
  head.namespaces[0].gone = true;  // its refusals count, its table is no more
  CHECK(app::table_words(head, {}) == "- in use in netns 4026533000, ! 1,204 refused");
}

TEST_CASE("a capture shows its phase, the time left and the numbers") {
  const SteppedClock clock(1.5);
  std::vector<std::string> shown;
  CaptureProgress progress(clock, [&](std::string_view text) { shown.emplace_back(text); });
  progress.show();
  progress.begin("before the command", 10);
  progress.show();
  progress.set_numbers("1 of 2 in use");
  progress.show();
  progress.end();
  progress.show();
  progress.begin("after the command", 1);
  progress.show();
  progress.begin("recording", 90);
  progress.show();
  progress.begin("recording", std::nullopt);
  progress.show();
  CHECK(shown == std::vector<std::string>{
                     "before the command, 9s left",
                     "before the command, 7s left: 1 of 2 in use",
                     "after the command, 0s left: 1 of 2 in use",
                     "recording, 1m29s left: 1 of 2 in use",
                     "recording, 1s, Ctrl-C ends it: 1 of 2 in use",
                 });
}

TEST_CASE("reading a capture tells how far it is, unless it is quick") {
  const auto recording = test::deploy();
  const auto told = [&](double step_s) {
    const SteppedClock clock(step_s);
    std::vector<std::string> shown;
    ReadingProgress reading(*recording, "a\x1b.db", clock, [&](std::string_view text) { shown.emplace_back(text); });
    const auto direct = report::build_report(*recording, {}).value();
    const auto built = report::build_report(reading, {}).value();
    CHECK(built.samples == direct.samples);
    CHECK(built.totals == direct.totals);
    return shown;
  };
  CHECK(told(0.001).empty());
  const std::vector<std::string> shown = told(1);
  REQUIRE(shown.size() >= 4);
  CHECK(shown.front().starts_with("reading a\\x1B.db, pass 1: "));
  CHECK(shown[shown.size() / 2 - 1] == "reading a\\x1B.db, pass 1: 100%");
  CHECK(shown.back() == "reading a\\x1B.db, pass 2: 100%");
}
