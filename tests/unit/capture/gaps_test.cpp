// SPDX-License-Identifier: Apache-2.0
// How a capture reports its gaps.
#include <sstream>

#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::int64_t kInterval = 500;  // World::info().interval_s

/// A finished capture. `change` may alter each sample.
struct Sampled {
  Captured captured;
  std::int64_t now = World::kStart;

  template <class Change>
  void add(int samples, const Change& change) {
    for (; samples > 0; --samples) {
      captured.world.sample([&](const model::Snapshot& head, const model::Source& source) {
        model::Snapshot one = head;
        one.interval_s = 0.5;
        one.suspended_s = 0;
        for (model::NetnsRow& row : one.namespaces) row.in_use = 7;
        change(one);
        now += static_cast<std::int64_t>((one.interval_s + one.suspended_s) * 1000);
        one.time_unix_ms = now;
        if (!captured.writer->append(one, source)) throw std::runtime_error("cannot append");
      });
    }
  }
  void add(int samples) {
    add(samples, [](model::Snapshot&) {});
  }
  std::string finish() {
    if (!captured.writer->finish(now, {})) throw std::runtime_error("cannot finish");
    captured.writer.reset();
    return gaps_of(captured.path);
  }
  static std::string gaps_of(const std::string& path) {
    std::ostringstream out;
    const auto reader = open_capture(path);
    for (const model::Gap& gap : reader->info().gaps) {
      out << to_string(gap.why) << ' ' << gap.from_unix_ms - World::kStart << ".." << gap.to_unix_ms - World::kStart
          << (gap.netns_id ? " netns " + std::to_string(*gap.netns_id) : "") << "; ";
    }
    return out.str();
  }
};

}  // namespace

TEST_CASE("a capture that was sampled as asked has no gap", "[capture]") {
  Sampled sampled;
  sampled.add(9);
  CHECK(sampled.finish().empty());
  const auto reader = open_capture(sampled.captured.path);
  CHECK(reader->info().ended_unix_ms);
  CHECK_FALSE(reader->info().running);
}

TEST_CASE("intervals in which twtrace did not run are in the file", "[capture]") {
  Sampled sampled;
  sampled.add(3);
  sampled.add(1, [](model::Snapshot& head) { head.interval_s = 9; });
  sampled.add(2);
  sampled.add(1, [](model::Snapshot& head) { head.suspended_s = 30; });
  sampled.add(1);
  CHECK(sampled.finish() == "not_sampled 1500..10500; suspended 11500..42000; ");
  // The reader returns the snapshots unchanged.
  std::vector<double> slept;
  REQUIRE(open_capture(sampled.captured.path)
              ->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
                slept.push_back(head->suspended_s);
                return true;
              }));
  CHECK(slept == std::vector<double>{0, 0, 0, 0, 0, 0, 30, 0});
}

TEST_CASE("a namespace whose counters could not be read is in the file", "[capture]") {
  Sampled sampled;
  sampled.add(2);
  sampled.add(3, [](model::Snapshot& head) { head.namespaces.front().in_use.reset(); });
  sampled.add(1);
  CHECK(sampled.finish() == "not_read 1000..2500 netns 1; ");
}

TEST_CASE("samples that somebody has removed at the end are missed", "[capture]") {
  Sampled sampled;
  sampled.add(9);
  CHECK(sampled.finish().empty());
  for (const char* table : {"netns_sample", "owner_sample", "peer_sample", "loss", "port_use"}) {
    run_sql(sampled.captured.path, std::string("DELETE FROM ") + table + " WHERE sample > 4");
  }
  run_sql(sampled.captured.path, "DELETE FROM sample WHERE id > 4");
  CHECK(Sampled::gaps_of(sampled.captured.path) ==
        "not_sampled " + std::to_string(4 * kInterval) + ".." + std::to_string(9 * kInterval) + "; ");
}

TEST_CASE("a capture of an older version says what it can", "[capture]") {
  Sampled sampled;
  sampled.add(2);
  sampled.add(1, [](model::Snapshot& head) { head.interval_s = 9; });
  sampled.add(1, [](model::Snapshot& head) { head.suspended_s = 30; });
  CHECK(sampled.finish() == "not_sampled 1000..10000; suspended 10000..40500; ");
  const std::string& path = sampled.captured.path;
  CHECK(open_capture(path)->info().sees_at_most.queue_drops);
  make_version(path, 1);
  CHECK_FALSE(open_capture(path)->info().sees_at_most.no_port);
  CHECK(open_capture(path)->info().sees_at_most.removal);
  CHECK(Sampled::gaps_of(path) == "not_sampled 1000..10000; clock_set 10000..40500; ");
  CHECK(read_samples(*open_capture(path)).size() == 4);
}

TEST_CASE("a capture of an older version says which counts it cannot have", "[capture]") {
  Sampled sampled;
  sampled.add(2);
  sampled.finish();
  const std::string& path = sampled.captured.path;
  make_version(path, 7);
  CHECK(open_capture(path)->info().sees_at_most.resets_sent);
  CHECK_FALSE(open_capture(path)->info().sees_at_most.queue_drops);
  CHECK_FALSE(open_capture(path)->info().sees_at_most.no_port_bind);
}

TEST_CASE("a capture that runs, and one that was cut, are not complete", "[capture]") {
  Captured captured;
  captured.add(3);
  const auto running = capture::Reader::open(captured.path);
  REQUIRE(running);
  CHECK((*running)->info().running);
  CHECK_FALSE((*running)->info().ended_unix_ms);
  captured.writer.reset();
  const auto cut = open_capture(captured.path);
  CHECK_FALSE(cut->info().running);
  CHECK_FALSE(cut->info().ended_unix_ms);
}
