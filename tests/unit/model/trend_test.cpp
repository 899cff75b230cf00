// SPDX-License-Identifier: Apache-2.0
#include "model/trend.hpp"

#include "support/catch.hpp"

using namespace twtrace::model;

namespace {

/// One-second snapshots of a namespace that gets 80 buckets per second.
struct Host {
  Snapshot next(std::uint64_t created, std::uint64_t removed) {
    row.counts.time_wait += created;
    row.in_use = *row.in_use + created - removed;
    Snapshot head;
    head.interval_s = 1;
    head.namespaces = {row};
    return head;
  }
  Host() {
    row.id = 7;
    row.in_use = 0;
    row.limit = 5000;
  }

  NetnsRow row;
};

}  // namespace

TEST_CASE("each namespace gets the forecast of its own last minute") {
  Host host;
  Host idle;
  idle.row.id = 8;
  Trends trends;
  Snapshot head;
  for (int second = 0; second < 10; ++second) {
    head = host.next(80, 0);
    head.namespaces.insert(head.namespaces.begin(), idle.row);
    trends.observe(head);
  }
  CHECK(head.namespaces[0].forecast.state == Forecast::State::kSteady);
  CHECK(head.namespaces[0].forecast.buckets == 0);
  CHECK(head.namespaces[1].forecast.state == Forecast::State::kFilling);
  CHECK(head.namespaces[1].forecast.buckets == 4800);
  for (int second = 0; second < 200; ++second) trends.observe(head = host.next(80, second < 50 ? 0 : 80));
  CHECK(head.namespaces[0].forecast.state == Forecast::State::kSteady);
  CHECK(head.namespaces[0].forecast.buckets == 4800);
}

TEST_CASE("counts from before the first snapshot of a namespace are nobody's arrivals") {
  Host early;
  Trends trends;
  Snapshot head;
  for (int second = 0; second < 5; ++second) trends.observe(head = early.next(1, 0));
  Host late;
  late.row.id = 9;
  late.row.counts.time_wait = 4000;
  late.row.in_use = 3000;
  for (int second = 0; second < 6; ++second) {
    head = late.next(0, 0);
    trends.observe(head);
  }
  CHECK(head.namespaces[0].forecast.state != Forecast::State::kFilling);
}

TEST_CASE("a namespace whose gauge cannot be read has no forecast") {
  Host host;
  Trends trends;
  Snapshot head;
  for (int second = 0; second < 5; ++second) {
    head = host.next(80, 0);
    head.namespaces[0].in_use.reset();
    trends.observe(head);
  }
  CHECK(head.namespaces[0].forecast.state == Forecast::State::kUnknown);
}
