// SPDX-License-Identifier: Apache-2.0
#include "model/history.hpp"

#include <memory>

#include "model/trend.hpp"
#include "support/catch.hpp"
#include "support/entries.hpp"
#include "view/row_id.hpp"
#include "view/rows.hpp"

using namespace twtrace::model;
using namespace twtrace::view;
using namespace twtrace::test;

namespace {

/// A table that grows from sample to sample, and its history.
struct Recording {
  RowTable table{1000};
  PeerTable peers{1000};
  std::vector<NetnsInfo> namespaces = {{1, 4026531840U, "host", {}, {}}};
  History history;
  std::int64_t now_ms = 1'000'000;

  explicit Recording(HistoryLimits limits = {}) : history(limits) {}

  void set(std::uint32_t slot, std::uint64_t created, std::uint64_t overflow = 0, std::uint64_t live = 0) {
    Counters counts;
    counts.time_wait = created;
    counts.overflow_fin_wait2 = overflow;
    if (table.at(slot) == nullptr) table.add(slot, slot, worker(slot));
    table.set(slot, counts, live, false);
  }
  std::uint64_t sample(std::uint64_t in_use = 0) {
    Snapshot head;
    head.time_unix_ms = now_ms += 1000;
    head.interval_s = 1;
    NetnsRow netns;
    netns.netns = 4026531840U;
    netns.in_use = in_use;
    netns.limit = 5000;
    table.for_each([&](const Entry& entry, RowKind) { netns.counts += entry.counts; });
    head.totals = netns.counts;
    head.namespaces = {netns};
    const std::uint64_t number =
        history.append(std::make_shared<Snapshot>(head), CurrentSource(table, peers, namespaces));
    table.begin_interval();
    peers.begin_interval();
    return number;
  }
  std::vector<Row> rows(std::uint64_t sample, Group group = Group::kPid) const {
    std::uint64_t hidden = 0;
    View view;
    view.group = group;
    view.sort = SortColumn::kPid;
    return build_rows(history.at(sample), view, 1, hidden);
  }
};

}  // namespace

TEST_CASE("every sample can be looked at again as it was") {
  Recording recording;
  recording.set(10, 5);
  recording.sample();
  recording.set(10, 8, 2);
  recording.set(11, 1);
  recording.sample();
  recording.sample();  // nothing happened

  REQUIRE(recording.history.oldest() == 1);
  REQUIRE(recording.history.newest() == 3);
  const auto first = recording.rows(1);
  REQUIRE(first.size() == 1);
  CHECK(first[0].counts.created() == 5);
  CHECK(first[0].created_per_s == 5);

  const auto second = recording.rows(2);
  REQUIRE(second.size() == 2);
  CHECK(second[0].counts.created() == 8);
  CHECK(second[0].created_per_s == 3);
  CHECK(second[0].overflow_per_s == 2);

  const auto third = recording.rows(3);
  REQUIRE(third.size() == 2);
  CHECK(third[0].counts.created() == 8);
  CHECK(third[0].created_per_s == 0);
  CHECK(third[0].id == second[0].id);
  CHECK(third[0].id != third[1].id);
}

TEST_CASE("a history shows what the tables show, whatever happens to rows") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    Random random(seed);
    Recording recording;
    recording.table = RowTable(5);
    std::vector<std::vector<Row>> expected;
    std::uint32_t slot = 0;
    for (int step = 0; step < 40; ++step) {
      const bool grows = random.up_to(2) != 0 || slot == 0;
      if (grows) {
        ++slot;
        Identity identity = random_identity(random);
        identity.netns = 1;
        recording.table.add(slot, slot, identity);
        recording.table.set(slot, random_counts(random), random.up_to(3), false);
      } else {
        const auto victim = static_cast<std::uint32_t>(1 + random.up_to(slot - 1));
        if (recording.table.at(victim) != nullptr) recording.table.retire(victim);
      }
      std::uint64_t hidden = 0;
      View view;
      view.group = Group::kProcess;
      expected.push_back(
          build_rows(CurrentSource(recording.table, recording.peers, recording.namespaces), view, 1, hidden));
      recording.sample();
    }
    for (std::uint64_t sample = 1; sample <= 40; ++sample) {
      INFO("seed " << seed << ", sample " << sample);
      std::uint64_t hidden = 0;
      View view;
      view.group = Group::kProcess;
      const auto shown = build_rows(recording.history.at(sample), view, 1, hidden);
      const auto& wanted = expected[sample - 1];
      REQUIRE(shown.size() == wanted.size());
      for (std::size_t i = 0; i < shown.size(); ++i) {
        CHECK(shown[i].id == wanted[i].id);
        CHECK(shown[i].counts == wanted[i].counts);
        CHECK(shown[i].created_per_s == wanted[i].created_per_s);
        CHECK(shown[i].overflow_per_s == wanted[i].overflow_per_s);
        CHECK(shown[i].live == wanted[i].live);
        CHECK(shown[i].process.has_value() == wanted[i].process.has_value());
        if (shown[i].process && wanted[i].process) CHECK(shown[i].process->exited == wanted[i].process->exited);
      }
    }
  }
}

TEST_CASE("counts are shown since a sample, rates and gauges are not touched") {
  Recording recording;
  recording.set(10, 5, 1, 4);
  recording.sample();
  recording.set(10, 9, 3, 7);
  recording.history.set_zero(1);
  recording.sample();
  const auto rows = recording.rows(2);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].counts.created() == 4);
  CHECK(rows[0].counts.overflow() == 2);
  CHECK(rows[0].created_per_s == 4);
  CHECK(rows[0].live == 7U);

  const Snapshot* zero = recording.history.zero_head(2);
  REQUIRE(zero != nullptr);
  const Snapshot since = counted_since(*recording.history.head(2), *zero);
  CHECK(since.totals.created() == 4);
  CHECK(since.namespaces[0].counts.overflow() == 2);

  recording.history.set_zero(0);
  CHECK(recording.rows(2)[0].counts.created() == 9);
  CHECK(recording.history.zero_head(2) == nullptr);
}

TEST_CASE("what was missed is shown since a sample, too") {
  Snapshot zero;
  zero.namespaces.resize(1);
  zero.namespaces[0].missed = {5, 2};
  Snapshot head = zero;
  head.namespaces[0].missed = {7, 2};
  const Snapshot since = counted_since(head, zero);
  CHECK(since.namespaces[0].missed.created == 2U);
  CHECK(since.namespaces[0].missed.overflow == 0U);
}

TEST_CASE("a namespace that got the number of one that is gone begins anew") {
  History history;
  const RowTable table(10);
  const PeerTable peers(10);
  const std::vector<NetnsInfo> namespaces;
  Snapshot head;
  NetnsRow old;
  old.id = 1;
  old.netns = 4026532000U;
  old.in_use = 900;
  old.limit = 1000;
  old.counts.time_wait = 900;
  NetnsRow young = old;
  young.id = 2;
  young.in_use = 10;
  young.counts.time_wait = 10;
  for (int second = 1; second <= 3; ++second) {
    head.time_unix_ms = second * 1000;
    old.gone = second > 1;
    head.namespaces = {old};
    if (old.gone) head.namespaces.push_back(young);
    history.append(std::make_shared<Snapshot>(head), CurrentSource(table, peers, namespaces));
  }
  const Snapshot since = counted_since(*history.head(3), *history.head(1));
  CHECK(since.namespaces[0].counts.created() == 0);
  CHECK(since.namespaces[1].counts.created() == 10);
  const auto points = trend(history, 3, young);
  REQUIRE(points.size() == 1);
  CHECK(points[0].in_use == 10);
}

TEST_CASE("one identity twice in a sample is one row, live buckets included") {
  Recording recording;
  recording.set(10, 5, 0, 3);
  recording.sample();
  recording.table.add(11, 11, worker(10));  // the rest of a reused slot
  Counters counts;
  counts.time_wait = 2;
  recording.table.set(11, counts, 0, true);
  recording.sample();
  const auto rows = recording.rows(2);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].counts.created() == 7);
  CHECK(rows[0].live == 3U);
  CHECK_FALSE(rows[0].process->exited);
}

TEST_CASE("what was zeroed stays zeroed when rows are folded into others") {
  Recording recording;
  recording.table = RowTable(1);
  for (std::uint32_t slot = 10; slot < 16; ++slot) recording.set(slot, slot);
  recording.history.set_zero(recording.sample());
  for (std::uint32_t slot = 10; slot < 16; ++slot) {
    recording.table.retire(slot);
    recording.sample();
    for (const Row& row : recording.rows(recording.history.newest(), Group::kNetns)) {
      INFO("slot " << slot << ", kind " << static_cast<int>(row.kind));
      CHECK(row.counts.created() == 0);
    }
  }
}

TEST_CASE("counts since an earlier sample leave out what was folded after it") {
  Recording recording;
  recording.table = RowTable(1);
  for (std::uint32_t slot = 10; slot < 16; ++slot) recording.set(slot, slot);
  const std::uint64_t zero = recording.sample();
  for (std::uint32_t slot = 10; slot < 16; ++slot) {
    recording.table.retire(slot);
    recording.sample();
  }
  recording.history.set_zero(zero);
  for (const Row& row : recording.rows(recording.history.newest(), Group::kNetns)) {
    INFO("kind " << static_cast<int>(row.kind));
    CHECK(row.counts.created() == 0);
  }
}

TEST_CASE("memory is bounded by age, by samples and by bytes") {
  SECTION("age") {
    HistoryLimits limits;
    limits.seconds = 10;
    Recording recording(limits);
    for (int i = 1; i <= 50; ++i) {
      recording.set(10, static_cast<std::uint64_t>(i));
      recording.sample();
    }
    CHECK(recording.history.newest() == 50);
    CHECK(recording.history.oldest() == 40);
    CHECK(recording.rows(40)[0].counts.created() == 40);
    CHECK(recording.rows(40)[0].created_per_s == 1);
    CHECK(recording.history.clamp(3) == 40);
  }
  SECTION("samples") {
    HistoryLimits limits;
    limits.samples = 7;
    Recording recording(limits);
    for (int i = 0; i < 50; ++i) recording.sample();
    CHECK(recording.history.oldest() == 44);
  }
  SECTION("bytes of namespaces") {
    HistoryLimits limits;
    limits.bytes = std::size_t{1} << 20U;
    Recording recording(limits);
    for (std::uint32_t netns = 2; netns < 1000; ++netns) recording.namespaces.push_back({netns, netns, "", {}, {}});
    for (int i = 0; i < 50; ++i) {
      recording.sample();
      CHECK(recording.history.bytes() <= limits.bytes);
    }
    const std::uint64_t kept = recording.history.newest() - recording.history.oldest() + 1;
    CHECK(kept > 1);
    CHECK(kept < 10);
  }
  SECTION("bytes") {
    HistoryLimits limits;
    limits.bytes = 200 * sizeof(TrackVersion);
    Recording recording(limits);
    for (std::uint64_t i = 1; i <= 100; ++i) {
      for (std::uint32_t slot = 10; slot < 20; ++slot) recording.set(slot, i * slot);
      recording.sample();
      CHECK(recording.history.bytes() <= limits.bytes);
    }
    CHECK(recording.history.oldest() > 70);
    CHECK(recording.rows(recording.history.oldest())[0].counts.created() == recording.history.oldest() * 10);
  }
  SECTION("rows that are gone are forgotten") {
    HistoryLimits limits;
    limits.seconds = 5;
    Recording recording(limits);
    recording.table = RowTable(0);
    for (std::uint32_t slot = 10; slot < 200; ++slot) {
      recording.set(slot, 1);
      recording.sample();
      recording.table.retire(slot);
      recording.sample();
    }
    CHECK(recording.history.bytes() < 100 * sizeof(TrackVersion));
  }
}

TEST_CASE("a row has a timeline") {
  Recording recording;
  recording.sample();
  recording.set(10, 5, 2);
  recording.set(11, 3);
  recording.sample();
  recording.sample();
  recording.set(10, 9, 2);
  const std::uint64_t last = recording.sample();
  const auto rows = recording.rows(last, Group::kNetns);
  REQUIRE(rows.size() == 1);
  const auto timeline = recording.history.timeline(goes_into(Group::kNetns, rows[0].id), last);
  REQUIRE(timeline.points.size() == 4);
  CHECK(timeline.points[0].created == 0);
  CHECK(timeline.points[1].created == 8);
  CHECK(timeline.points[1].refused == 2);
  CHECK(timeline.points[2].created == 0);
  CHECK(timeline.points[3].created == 4);
  CHECK(timeline.first_seen_unix_ms == recording.history.head(2)->time_unix_ms);
}

TEST_CASE("peers are part of it, and of the rows they belong to") {
  Recording recording;
  recording.set(10, 3);
  Event event;
  const PeerKey key{folded(worker(10)), {"10.0.0.1", std::uint16_t{6379}}};
  recording.peers.count(key, event);
  recording.peers.count(key, event);
  recording.sample();
  recording.set(10, 4);
  recording.peers.begin_interval();
  recording.sample();
  for (const std::uint64_t sample : {1U, 2U}) {
    const auto rows = recording.rows(sample, Group::kPeer);
    REQUIRE(rows.size() == 2);
    const Row& peer = rows[0].peer ? rows[0] : rows[1];
    const Row& rest = rows[0].peer ? rows[1] : rows[0];
    CHECK(peer.counts.created() == 2);
    CHECK(rest.counts.created() == sample);
    // The part of the table after one of them.
    const History::SampleSource moment = recording.history.at(sample);
    const RowSource source(moment, Group::kPeer, peer.id);
    std::uint64_t hidden = 0;
    View view;
    view.group = Group::kPid;
    const auto pids = build_rows(source, view, 1, hidden);
    REQUIRE(pids.size() == 1);
    CHECK(pids[0].process->pid == 10U);
  }
}

TEST_CASE("a trend counts what left from the gauge") {
  Recording recording;
  recording.set(10, 100);
  recording.sample(100);
  recording.set(10, 150);
  recording.sample(130);
  NetnsRow netns;
  netns.netns = 4026531840U;
  const auto points = trend(recording.history, 2, netns);
  REQUIRE(points.size() == 2);
  CHECK(points[1].created == 50);
  CHECK(points[1].removed == 20.0);
  CHECK(points[1].in_use == 130);
  CHECK(points[0].age_s == 1);
  CHECK_FALSE(points[0].removed);
  netns.netns = 7;
  CHECK(trend(recording.history, 2, netns).empty());
}

TEST_CASE("counts since an earlier sample are as if counting had begun there") {
  Recording recording;
  recording.set(1, 100, 7);
  recording.sample();
  recording.set(1, 150, 7);
  recording.set(2, 13);
  recording.sample();
  recording.set(1, 151, 9);
  recording.sample();
  const auto row = [&](std::uint64_t base, std::uint64_t sample, std::uint64_t slot) {
    std::uint64_t hidden = 0;
    View view;
    view.group = Group::kPid;
    view.sort = SortColumn::kPid;
    return build_rows(recording.history.since(base, sample), view, 1, hidden).at(slot - 1);
  };
  CHECK(row(1, 2, 1).counts.created() == 50);
  CHECK(row(1, 2, 1).created_per_s == 50);
  CHECK(row(1, 3, 1).counts.created() == 51);
  CHECK(row(1, 3, 1).counts.overflow() == 2);
  CHECK(row(1, 3, 1).created_per_s == 1);
  CHECK(row(1, 3, 2).counts.created() == 13);
  CHECK(row(0, 3, 1).counts.created() == 151);
}

TEST_CASE("a sample is found by its time") {
  Recording recording;
  for (int i = 0; i < 5; ++i) recording.sample();  // at 1001 to 1005 s
  CHECK(recording.history.sample_at(0) == 1);
  CHECK(recording.history.sample_at(1'001'000) == 1);
  CHECK(recording.history.sample_at(1'003'999) == 3);
  CHECK(recording.history.sample_at(1'005'000) == 5);
  CHECK(recording.history.sample_at(9'000'000) == 5);
}
