// SPDX-License-Identifier: Apache-2.0
// The first lines of every output, for ten scenes of production hosts. Each scene is a capture of real services (record
// makes it), and the text beside it is what they must say. $TWTRACE_UPDATE_GOLDEN=1 writes the texts anew: read them.
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "capture/reader.hpp"
#include "model/history.hpp"
#include "model/trend.hpp"
#include "output/json.hpp"
#include "output/report_json.hpp"
#include "output/report_text.hpp"
#include "output/table.hpp"
#include "report/report.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "tui/composer.hpp"
#include "tui/layout.hpp"
#include "view/rows.hpp"
#include "view/troubles.hpp"

using namespace twtrace;
using nlohmann::ordered_json;

namespace {

constexpr tui::Size kScreen{24, 80};

/// The first lines of a text.
std::string head_of(const std::string& text, std::size_t lines) {
  std::size_t end = 0;
  while (lines-- != 0 && end != std::string::npos) end = text.find('\n', end == 0 ? 0 : end + 1);
  return text.substr(0, end) + '\n';
}

/// Up to the first empty line.
std::string first_paragraph(const std::string& text) { return text.substr(0, text.find("\n\n") + 1); }

/// The trouble that is told first.
std::string first_trouble(const ordered_json& troubles) {
  return troubles.empty() ? "no trouble\n" : troubles.at(0).dump(1) + "\n";
}

std::string report_words(capture::Reader& reader) {
  const auto report = report::build_report(reader, {});
  REQUIRE(report);
  const ordered_json json = ordered_json::parse(output::report_json(*report));
  return "== report\n" + first_paragraph(output::report_text(*report, output::Color::kNever)) +
         "\n== report --json, troubles[0]\n" + first_trouble(json.at("troubles"));
}

/// A sample as `replay -b` and `replay -b --json` print it.
std::string batch_words(model::Snapshot head, const model::Source& source) {
  head.troubles = view::find_troubles(source, head, {});
  view::View people;
  people.leave_out_silent = true;
  output::TableOptions table;
  table.width = kScreen.columns - 1;
  std::string words = "\n== -b\n" + output::snapshot_table(view::with_rows(head, source, people), table);
  const ordered_json json = ordered_json::parse(output::snapshot_json(view::with_rows(std::move(head), source, {})));
  words += "\n== -b --json, troubles[0]\n" + first_trouble(json.at("troubles"));
  return words + "forecast " + json.at("namespaces").at(0).at("forecast").dump() + "\n";
}

/// The top of the live view at that sample.
std::string screen_words(const model::History& history, std::uint64_t sample) {
  const tui::EventLog log;
  tui::Composer composer(history, log, {});
  tui::ViewState state;
  state.replay = true;
  state.paused_at = sample;
  const tui::Picture& picture = composer.compose(state);
  state = tui::settle(std::move(state), tui::context_of(picture, state, kScreen));
  return "\n== live view, 80x24\n" + head_of(tui::draw(picture, state, kScreen, {}).text(), 14);
}

/// What `report`, and `replay -b` for each sample, print of a scene.
std::string all_words(const std::string& name) {
  auto reader = capture::Reader::open(std::string(TWTRACE_GOLDEN) + "/" + name + ".db");
  REQUIRE(reader);
  const auto report = report::build_report(**reader, {});
  REQUIRE(report);
  std::string words = output::report_text(*report, output::Color::kNever);
  model::Trends trends;
  REQUIRE((*reader)->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
    model::Snapshot copy = *head;
    trends.observe(copy);
    words += batch_words(std::move(copy), source);
    return true;
  }));
  return words;
}

/// `sample` is the moment that the live view and -b show, from 1 on.
void check_scene(const std::string& name, std::uint64_t sample) {
  INFO(name);
  auto reader = capture::Reader::open(std::string(TWTRACE_GOLDEN) + "/" + name + ".db");
  REQUIRE(reader);
  std::string words = report_words(**reader);
  model::History history({std::numeric_limits<double>::infinity(), 1'000'000, std::size_t{1} << 30U});
  model::Trends trends;
  std::uint64_t seen = 0;
  std::string batch;
  REQUIRE((*reader)->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
    history.append(head, source);
    model::Snapshot copy = *head;
    trends.observe(copy);
    if (++seen == sample) batch = batch_words(std::move(copy), source);
    return true;
  }));
  REQUIRE(seen >= sample);
  words += "\nsample " + std::to_string(sample) + " of " + std::to_string(seen) + "\n" + batch;
  test::check_golden(name + ".txt", words + screen_words(history, sample));
}

}  // namespace

TEST_CASE("scene: one service fills the table and is refused") { check_scene("full", 3); }
TEST_CASE("scene: one service holds the table, another is refused") { check_scene("held", 8); }
TEST_CASE("scene: the table is level at a high rate") { check_scene("level", 10); }
TEST_CASE("scene: the table empties after a load") { check_scene("draining", 14); }
TEST_CASE("scene: twtrace starts on a full table") { check_scene("late", 2); }
TEST_CASE("scene: no local port is left") { check_scene("ports", 6); }
TEST_CASE("scene: twtrace starts when no local port is left") { check_scene("ports_late", 3); }
TEST_CASE("scene: the queue of a listening socket is full") { check_scene("queue", 6); }
TEST_CASE("scene: a server is restarted, and its connections end with it") { check_scene("restart", 6); }
TEST_CASE("the examples of the README are what the program prints") {
  std::ifstream file(std::string(TWTRACE_README));
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  const std::string readme = text.str();
  std::string words;
  for (const char* name : {"held", "restart", "ports", "queue"}) words += all_words(name);
  const std::string fence = "```\n";
  std::size_t at = readme.find("\n## What to do with what you see\n");
  const std::size_t end = readme.find("\n## ", at + 1);
  REQUIRE(end != std::string::npos);
  std::size_t examples = 0;
  while ((at = readme.find(fence, at)) < end) {
    const std::size_t begin = at + fence.size();
    const std::size_t close = readme.find(fence, begin);
    REQUIRE(close < end);
    INFO(readme.substr(begin, close - begin));
    CHECK(words.find(readme.substr(begin, close - begin)) != std::string::npos);
    at = close + fence.size();
    ++examples;
  }
  CHECK(examples == 5);
}

TEST_CASE("scene: nothing is wrong") { check_scene("calm", 3); }
