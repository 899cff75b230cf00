// SPDX-License-Identifier: Apache-2.0
#include "loader/mib_spans.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace twtrace::loader;

namespace {

/// The counter at a place of the copy.
CounterPlace counter_at(const MibPlan& plan, std::uint32_t place) {
  for (const tw_mib_span& span : plan.spans) {
    if (place >= span.at && place < span.at + span.words) return {span.tcp != 0, span.first + place - span.at};
  }
  return {};
}

std::size_t span_count(const MibPlan& plan) {
  std::size_t count = 0;
  for (const tw_mib_span& span : plan.spans) count += span.words != 0;
  return count;
}

void check_finds_all(const CounterPlaces& counters) {
  const MibPlan plan = plan_mib_spans(counters);
  std::uint32_t end = 0;
  for (const tw_mib_span& span : plan.spans) {
    if (span.words == 0) continue;
    CHECK(span.at == end);
    end = span.at + span.words;
  }
  CHECK(end <= TW_MIB_WORDS);
  for (std::size_t i = 0; i < counters.size(); ++i) {
    INFO(i);
    CHECK(counter_at(plan, plan.places.at(i)) == counters.at(i));
  }
}

}  // namespace

TEST_CASE("counters of Linux 6.18 are copied in three spans") {
  const CounterPlaces counters = {
      {{false, 11}, {false, 13}, {false, 12}, {false, 76}, {false, 22}, {false, 23}, {true, 7}, {true, 8}, {true, 14}}};
  check_finds_all(counters);
  CHECK(span_count(plan_mib_spans(counters)) == 3);
}

TEST_CASE("counters that are all far from each other are copied one by one") {
  CounterPlaces counters;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    counters.at(i) = {i % 2 == 1, static_cast<std::uint32_t>(1000 - 40 * i)};
  }
  check_finds_all(counters);
  CHECK(span_count(plan_mib_spans(counters)) == counters.size());
}

TEST_CASE("the widest spans have room") {
  CounterPlaces counters;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    counters.at(i) = {false, static_cast<std::uint32_t>(1 + i / 2 * 14 + i % 2 * 13)};
  }
  check_finds_all(counters);
}
