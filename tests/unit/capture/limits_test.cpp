// SPDX-License-Identifier: Apache-2.0
// A writer stores nothing that a reader refuses.
#include "capture/limits.hpp"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "capture/increments.hpp"
#include "capture/marker.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::size_t kTooLong = 20'000;  ///< of a text; an argument may have more

/// One owner, one peer, and as many namespaces as wanted.
class Tables final : public model::Source {
 public:
  explicit Tables(std::uint32_t namespaces, const std::string& text = "x") {
    for (std::uint32_t id = 1; id <= namespaces; ++id) infos_.push_back({id, 4026531840U + id, text, {}, {}});
    owner_ = worker(7, text);
    owner_.service = {text, text, text, {{}, {}, text}, text};
    peer_ = {text, 80};
  }
  void visit(const model::FactVisitor& visitor) const override { visitor(fact(nullptr)); }
  void visit_peers(const model::FactVisitor& visitor) const override { visitor(fact(&peer_)); }
  const std::vector<model::NetnsInfo>& namespaces() const override { return infos_; }

 private:
  model::Fact fact(const model::Peer* peer) const {
    return {owner_, model::RowKind::kNormal, peer, zero_, zero_, zero_, {}, 1, false};
  }

  model::Counters zero_;
  std::vector<model::NetnsInfo> infos_;
  model::Identity owner_;
  model::Peer peer_;
};

capture::Writer writer(const std::string& path, const model::CaptureInfo& info) {
  auto target = capture::TargetFile::check(path, capture::invoker());
  if (!target) throw std::runtime_error(target.error().what);
  auto made = capture::Writer::create(std::move(*target), info, {41, 43'000'000'000});
  if (!made) throw std::runtime_error(made.error().what);
  return std::move(*made);
}

model::CaptureInfo with_long_texts(const std::string& text) {
  model::CaptureInfo info = World::info();
  info.twtrace_version = info.host.name = info.host.kernel = info.probe.backend = text;
  info.probe.fallbacks.assign(capture::kMostFallbacks + 1, text);
  info.command->argv.assign(60, std::string(capture::kLongestArgument + 1, 'x'));
  info.settings_at_start[0].name = text;
  info.logs = {{model::Log::Kind::kJournal, text, text, {1, 1, text}}};
  info.interval_s = std::numeric_limits<double>::infinity();
  return info;
}

model::Event with_long_texts_event(const std::string& text) {
  model::Event event;
  event.time_unix_ms = -5;
  event.kind = model::Event::Kind::kRemoved;
  event.reason = model::Event::Reason::kExpired;
  event.age_s = std::numeric_limits<double>::quiet_NaN();
  event.process = model::ProcessId{7, text, 33, 1, false};
  event.service = {text, text, text, {{}, {}, text}, text};
  event.local_address = event.remote_address = text;
  event.count = 1;
  return event;
}

model::Snapshot with_long_texts_head(const std::string& text) {
  model::Snapshot head;
  head.time_unix_ms = std::numeric_limits<std::int64_t>::max();
  head.interval_s = 1e-12;
  head.uptime_s = 1e12;
  head.suspended_s = 1e12;
  head.live_age_s = -1;
  head.cost.cpu_percent = std::numeric_limits<double>::quiet_NaN();
  head.cost.bpf_run_ns_per_event = 1e12;
  model::PortUse use;
  use.netns = 4026531841U;
  use.netns_id = 1;
  use.destination = {text, 80};
  use.ports = {500, 1000};
  head.port_use = std::make_shared<std::vector<model::PortUse>>(1, use);
  model::ListenQueue queue;
  queue.netns_id = 1;
  queue.service = base::SharedService({text, text, text, {{}, {}, text}, text});
  queue.comm = text;
  head.queues = std::make_shared<std::vector<model::ListenQueue>>(model::kMostQueues + 1, queue);
  head.log_lines =
      std::make_shared<std::vector<model::LogLine>>(std::vector<model::LogLine>{{0, -1, 1, text}, {0, 1, 1, {}}});
  return head;
}

}  // namespace

TEST_CASE("what nobody typed is cut to what a reader takes", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "t.db";
  const std::string text(kTooLong, 'x');
  auto written = writer(path, with_long_texts(text));
  REQUIRE(written.add_settings(with_long_texts(text).settings_at_start));
  REQUIRE(written.add_processes({{{text, text, text, {{}, {}, text}, text}, text}}));
  REQUIRE(written.add_event(with_long_texts_event(text)));
  REQUIRE(written.add_mark({-1, text}));
  REQUIRE(written.set_log_gaps({{2, 2, text}}));
  REQUIRE(written.append(with_long_texts_head(text), Tables(2, text)));
  REQUIRE(written.append(with_long_texts_head(text), Tables(2, text + "y")));  // renames the namespaces
  REQUIRE(written.finish(World::kStart, with_long_texts(text).settings_at_start));
  const auto reader = open_capture(path);
  CHECK(reader->info().twtrace_version.size() == capture::kLongestWord);
  CHECK(reader->info().marks.at(0).name.size() == capture::kLongestPath);
  CHECK(reader->info().command.value().argv.at(0).size() == capture::kLongestArgument);
  const auto samples = read_samples(*reader);
  INFO(samples.back().substr(0, 300));
  CHECK(samples.size() == 2);
  const auto events = reader->events_until(std::numeric_limits<std::int64_t>::max(), 9);
  REQUIRE(events);
  CHECK(events->size() == 1);
}

TEST_CASE("a mark that a reader would refuse is refused", "[capture]") {
  Captured captured;
  captured.add(1);
  CHECK(capture::add_mark(captured.path, {World::kStart, std::string(capture::kLongestPath, 'x')}));
  const auto longer = capture::add_mark(captured.path, {World::kStart, std::string(capture::kLongestPath + 1, 'x')});
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == base::ErrorCode::kUsage);
  CHECK(longer.error().hint == "a mark has at most 4096 bytes");
  run_sql(captured.path, "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<" +
                             std::to_string(capture::kMostMarks - 1) + ") INSERT INTO mark SELECT NULL,1,'x' FROM n");
  CHECK(capture::add_mark(captured.path, {World::kStart, "the last one"}));
  const auto further = capture::add_mark(captured.path, {World::kStart, "x"});
  REQUIRE_FALSE(further);
  CHECK(further.error().code == base::ErrorCode::kFailure);
  CHECK(further.error().what == captured.path + ": a capture has room for 100000 marks");
  captured.finish();
  CHECK(open_capture(captured.path)->info().marks.size() == capture::kMostMarks);
}

TEST_CASE("late lines of a log do not fill a sample with more than a reader takes", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "t.db";
  model::CaptureInfo info = World::info();
  info.logs = {{model::Log::Kind::kJournal, "web.service", "refused", {}}};
  auto written = writer(path, info);
  World world(1);
  const model::LogLine line{0, World::kStart + 1, 1, "refused"};
  for (int i = 0; i < 4; ++i) {
    world.sample([&](const model::Snapshot& head, const model::Source& source) {
      model::Snapshot with_lines = head;
      with_lines.log_lines = std::make_shared<std::vector<model::LogLine>>(capture::kMostLogLines, line);
      REQUIRE(written.append(with_lines, source));
    });
  }
  REQUIRE(written.finish(World::kStart, {}));
  std::vector<std::size_t> lines;
  const auto read = open_capture(path)->for_each(model::Wanted::kHeads, [&](const auto& head, const auto&) {
    lines.push_back(head->log_lines ? head->log_lines->size() : 0);
    return true;
  });
  if (!read) FAIL(read.error().what);
  CHECK(lines == std::vector<std::size_t>(4, capture::kMostLogLines));
}

TEST_CASE("a capture of more namespaces than a reader takes ends, and can be read", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "t.db";
  auto written = writer(path, World::info());
  model::Snapshot head;
  head.time_unix_ms = World::kStart;
  REQUIRE(written.append(head, Tables(capture::kMostNamespaces)));
  const auto further = written.append(head, Tables(capture::kMostNamespaces + 1));
  REQUIRE_FALSE(further);
  CHECK(further.error().what == path + ": a capture has room for 131072 network namespaces, one after the other");
  CHECK_FALSE(written.finish(World::kStart, {}));
  CHECK(open_capture(path)->info().namespaces.size() == capture::kMostNamespaces);
}

TEST_CASE("a capture has as many keys at one time, and names, as a reader takes", "[capture]") {
  model::Identity who = worker(1);
  const model::Counters zero;
  const auto add = [&](capture::Increments& increments) {
    return increments.add({who, model::RowKind::kNormal, nullptr, zero, zero, zero, {}, 1, false});
  };
  capture::Increments many;
  many.begin();
  bool all = true;
  for (who.pid = 1; who.pid <= capture::kMostKeys; ++*who.pid) all = add(many) && all;
  CHECK(all);
  CHECK_FALSE(add(many));
  who.pid = 1;
  CHECK(add(many));
  many.end(true);
  many.begin();
  CHECK(add(many));
  many.end(true);  // the others are gone
  who.pid = capture::kMostKeys + 1;
  many.begin();
  CHECK(add(many));

  capture::Increments with_names;
  with_names.begin();
  who.service.cgroup.assign(capture::kMostKeyBytes / 4, 'x');
  for (who.pid = 1; who.pid <= 3U; ++*who.pid) REQUIRE(add(with_names));
  CHECK_FALSE(add(with_names));
}
