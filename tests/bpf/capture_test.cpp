// SPDX-License-Identifier: Apache-2.0
// Captures of a known workload. Their numbers must equal the kernel's and those of another twtrace, exactly.
#include <chrono>
#include <csignal>
#include <thread>

#include "base/clock.hpp"
#include "bpf/capturing.hpp"
#include "bpf/expect.hpp"
#include "cli/cli.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

/// The last sample of a capture, for one namespace.
struct Totals {
  model::Counters rows;  ///< sum over owners
  model::Counters peers;
  model::NetnsRow netns;
  std::uint64_t live = 0;  ///< sum over owners
  std::size_t samples = 0;
};

Totals totals_of(capture::Reader& reader, const NetnsSandbox& netns) {
  Totals totals;
  const auto read =
      reader.for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        const std::size_t samples = totals.samples + 1;
        totals = Totals();
        totals.samples = samples;
        std::uint32_t id = 0;
        for (const model::NetnsInfo& info : source.namespaces()) {
          if (info.inum == netns.inode()) id = info.id;
        }
        source.visit([&](const model::Fact& fact) {
          if (fact.identity.netns != id) return;
          totals.rows += fact.counts;
          totals.live += fact.live.value_or(0);
        });
        source.visit_peers([&](const model::Fact& fact) {
          if (fact.identity.netns == id) totals.peers += fact.counts;
        });
        for (const model::NetnsRow& row : head->namespaces) {
          if (row.netns == netns.inode()) totals.netns = row;
        }
        return true;
      });
  if (!read) throw std::runtime_error(read.error().what);
  return totals;
}

}  // namespace

TEST_CASE("a capture around a command holds exactly what the kernel counted", "[capture][counts]") {
  if (!privileged()) return;
  constexpr std::uint64_t kConnections = 61;
  Sysctls sysctls = split_substates();
  sysctls["tcp_max_tw_buckets"] = "50";
  Arena arena(sysctls);
  TwtraceRun beside;
  Capturing capturing({"--events", "--fail-if", "overflow>0"}, held_script("exit 0"));
  REQUIRE(capturing.process().wait_for_output("begun"));
  arena.run({"client-first", kConnections, 5017});
  capturing.tree().file("go", "");
  CHECK(capturing.process().wait() == 99);
  CHECK(capturing.process().standard_output() == "begun\n");
  const json other = beside.stop();

  const auto reader = capturing.read();
  const Totals totals = totals_of(*reader, arena.netns);
  INFO(capturing.process().standard_error());
  CHECK(totals.samples >= 2);
  CHECK(totals.netns.kernel.overflow == static_cast<std::uint64_t>(arena.delta().overflow));
  CHECK(totals.netns.counts.created() == totals.rows.created());
  CHECK(totals.netns.limit == 50U);
  CHECK(totals.peers.created() == totals.rows.created());  // no event was lost
  check_namespace(other, arena);
  CHECK(totals.rows.created() == static_cast<std::uint64_t>(sum_of(other, arena.netns, "created")));
  CHECK(totals.rows.overflow() == static_cast<std::uint64_t>(arena.delta().overflow));
  CHECK(totals.rows.created() + totals.rows.overflow() == kConnections);
  CHECK(arena.delta().overflow > 0);

  const model::CaptureInfo& info = reader->info();
  CHECK(info.ended_unix_ms);
  REQUIRE(info.command);
  CHECK(info.command->exit_code == 0);
  CHECK(info.started_unix_ms <= info.command->started_unix_ms);
  CHECK(info.command->started_unix_ms <= info.command->ended_unix_ms);
  CHECK(info.command->ended_unix_ms <= info.ended_unix_ms);
  const auto limit_of = [&](const std::vector<model::NetnsSettings>& all) -> std::optional<std::uint64_t> {
    for (const model::NetnsSettings& netns : all) {
      if (netns.netns == arena.netns.inode()) return netns.limit;
    }
    return std::nullopt;
  };
  CHECK(limit_of(info.settings_at_start) == 50U);
  CHECK(limit_of(info.settings_at_end) == 50U);
  CHECK(capturing.process().standard_error().find("client :5017") != std::string::npos);  // who was refused
}

TEST_CASE("a capture without a command ends with a signal, or after --duration", "[capture][counts]") {
  if (!privileged()) return;
  Arena arena(split_substates());
  Capturing capturing({}, {});
  REQUIRE(capturing.process().wait_for_error("ready\n"));
  arena.run({"client-first", 23, 5017});
  capturing.process().signal(SIGINT);
  CHECK(capturing.process().wait() == 0);
  const auto reader = capturing.read();
  CHECK(totals_of(*reader, arena.netns).rows.created() == 23);
  CHECK(reader->info().ended_unix_ms);
  CHECK_FALSE(reader->info().command);
  CHECK_FALSE(capturing.process().standard_output().empty());  // the report

  Capturing timed({"--duration", "0.7"}, {});
  CHECK(timed.process().wait() == 0);
  CHECK(totals_of(*timed.read(), arena.netns).samples >= 2);
}

TEST_CASE("the last sample is of the end, also when nothing is recorded after the command", "[capture][counts]") {
  if (!privileged()) return;
  Arena arena(split_substates());
  Capturing capturing({"--before", "0", "--after", "0"}, held_script("exit 0"));
  REQUIRE(capturing.process().wait_for_output("begun"));
  arena.run({"client-first", 61, 5017});
  capturing.tree().file("go", "");
  CHECK(capturing.process().wait() == 0);
  const Totals totals = totals_of(*capturing.read(), arena.netns);
  CHECK(totals.rows.created() + totals.netns.missed.created.value_or(0) == 61);
  CHECK(totals.live == totals.rows.created());
}

TEST_CASE("kill -9 while recording leaves a readable file, and the command alone", "[capture][counts]") {
  if (!privileged()) return;
  Arena arena(split_substates());
  Capturing capturing({}, held_script("touch \"${TWTRACE_CAPTURE%/*}/done\""));
  REQUIRE(capturing.process().wait_for_output("begun"));
  arena.run({"client-first", 29, 5017});
  REQUIRE(wait_until([&] { return totals_of(*capturing.read(), arena.netns).rows.created() == 29; }));
  capturing.process().signal(SIGKILL);
  CHECK(capturing.process().wait() == 128 + SIGKILL);
  const auto reader = capturing.read();
  CHECK_FALSE(reader->info().ended_unix_ms);
  CHECK(totals_of(*reader, arena.netns).rows.created() == 29);
  const Outcome judged = run_twtrace({"report", "--fail-if", "lost_counts>0", capturing.path()});
  INFO(describe(judged));
  CHECK(judged.code == 99);
  CHECK(judged.out.find("FAIL lost_counts>0: not measurable: the capture was cut") != std::string::npos);
  CHECK(run_twtrace({"report", "--fail-if", "lost_counts>0", "--allow-cut", capturing.path()}).code == 0);
  capturing.tree().file("go", "");
  CHECK(wait_until([&] { return std::filesystem::exists(capturing.tree() / "done"); }));
}

TEST_CASE("a capture ends well while somebody reads it", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, held_script("exit 0"));
  REQUIRE(capturing.process().wait_for_output("begun"));
  auto held = capturing.read();
  capturing.tree().file("go", "");
  CHECK(capturing.process().wait() == 0);
  CHECK(capturing.process().standard_error().find("another program is reading this file") != std::string::npos);
  held.reset();
  CHECK(capturing.read()->info().ended_unix_ms);
}

TEST_CASE("a file beside it that is spoiled ends the capture, not the command", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, held_script("echo finished"));
  REQUIRE(capturing.process().wait_for_output("begun"));
  std::filesystem::resize_file(capturing.path() + "-shm", 0);
  REQUIRE(capturing.process().wait_for_error("-shm was changed by another program"));
  capturing.tree().file("go", "");
  CHECK(capturing.process().wait() == 1);
  CHECK(capturing.process().standard_output() == "begun\nfinished\n");
  CHECK_FALSE(capturing.read()->info().ended_unix_ms);
}

TEST_CASE("a time in which twtrace was stopped is a gap, and fails a budget", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({"--fail-if", "lost_counts>0"}, {});
  REQUIRE(capturing.process().wait_for_error("ready\n"));
  const base::SystemClock clock;
  capturing.process().signal(SIGSTOP);
  const std::int64_t stopped = clock.unix_ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // the test is about time that passes
  const std::int64_t went_on = clock.unix_ms();
  capturing.process().signal(SIGCONT);
  capturing.process().signal(SIGINT);
  CHECK(capturing.process().wait() == 99);
  const auto reader = capturing.read();
  CHECK(reader->info().ended_unix_ms);
  const auto& gaps = reader->info().gaps;
  REQUIRE_FALSE(gaps.empty());
  CHECK(gaps.front().why == model::Gap::Why::kNotSampled);
  CHECK(gaps.front().from_unix_ms <= stopped + 20);
  CHECK(gaps.front().to_unix_ms >= went_on - 20);
}
