// SPDX-License-Identifier: Apache-2.0
#include "model/gaps.hpp"

#include <sstream>
#include <string>

#include "support/catch.hpp"

using namespace twtrace::model;

namespace {

constexpr std::int64_t kStart = 1'000'000;

std::string words(const std::vector<Gap>& gaps) {
  std::ostringstream out;
  for (const Gap& gap : gaps) {
    out << to_string(gap.why) << ' ' << gap.from_unix_ms - kStart << ".." << gap.to_unix_ms - kStart;
    if (gap.netns_id) out << " netns " << *gap.netns_id;
    out << "; ";
  }
  return out.str();
}

/// Intervals of a second each, one after the other, from `from_ms` on.
void add_seconds(GapFinder& finder, int from_ms, int count) {
  for (int i = 1; i <= count; ++i) finder.add_interval({kStart + from_ms + i * 1000, 1, 0});
}

}  // namespace

TEST_CASE("a capture whose intervals are as asked has no gap", "[gaps]") {
  GapFinder finder(1, kStart);
  finder.add_interval({kStart + 990, 1.2, 0});  // counting began before the start
  finder.add_interval({kStart + 2690, 1.7, 0});
  finder.add_interval({kStart + 2790, 0.1, 0});
  finder.add_interval({kStart + 4790, 2, 0});
  CHECK(words(std::move(finder).finish(kStart + 6700)).empty());
}

TEST_CASE("an interval that is longer than asked is a gap", "[gaps]") {
  GapFinder finder(1, kStart);
  add_seconds(finder, 0, 2);
  finder.add_interval({kStart + 9000, 7, 0});
  add_seconds(finder, 9000, 1);
  CHECK(words(std::move(finder).finish({})) == "not_sampled 2000..9000; ");
  CHECK(longest_interval_s(0.2) == 1.2);
  CHECK(longest_interval_s(10) == 20);
}

TEST_CASE("gaps that follow each other are one", "[gaps]") {
  GapFinder finder(1, kStart);
  finder.add_interval({kStart + 4000, 4, 0});
  finder.add_interval({kStart + 8000, 4, 0});
  add_seconds(finder, 8000, 1);
  finder.add_interval({kStart + 12000, 3, 0});
  CHECK(words(std::move(finder).finish({})) == "not_sampled 0..8000; not_sampled 9000..12000; ");
}

TEST_CASE("what was not sampled at the start or the end of a capture is a gap", "[gaps]") {
  GapFinder finder(1, kStart);
  add_seconds(finder, 5000, 3);
  CHECK(words(std::move(finder).finish(kStart + 11'000)) == "not_sampled 0..5000; not_sampled 8000..11000; ");
  GapFinder cut(1, kStart);
  add_seconds(cut, 0, 3);
  CHECK(words(std::move(cut).finish({})).empty());
}

TEST_CASE("while the host slept nothing was sampled", "[gaps]") {
  GapFinder finder(1, kStart);
  add_seconds(finder, 0, 1);
  finder.add_interval({kStart + 62'000, 1, 60});
  finder.add_interval({kStart + 63'400, 1, 0.4});
  CHECK(words(std::move(finder).finish({})) == "suspended 1000..62000; ");
}

TEST_CASE("a clock that was set is told apart", "[gaps]") {
  GapFinder finder(1, kStart);
  add_seconds(finder, 0, 5);
  finder.add_interval({kStart + 66'000, 1, 0});
  add_seconds(finder, 66'000, 1);
  finder.add_interval({kStart + 8000, 1, 0});
  CHECK(words(std::move(finder).finish({})) == "clock_set 5000..67000; ");
}

TEST_CASE("a namespace that could not be read is named", "[gaps]") {
  GapFinder finder(1, kStart);
  add_seconds(finder, 0, 1);
  finder.add_netns(1, true, false);
  finder.add_netns(2, false, false);
  add_seconds(finder, 1000, 3);
  finder.add_netns(1, false, false);
  add_seconds(finder, 4000, 2);
  finder.add_netns(1, true, false);
  add_seconds(finder, 6000, 1);
  CHECK(words(std::move(finder).finish({})) == "not_read 0..7000 netns 2; not_read 3000..5000 netns 1; ");
}

TEST_CASE("the last look at a namespace that goes away may fail", "[gaps]") {
  GapFinder finder(1, kStart);
  add_seconds(finder, 0, 1);
  finder.add_netns(1, true, false);
  finder.add_netns(2, false, false);
  add_seconds(finder, 1000, 1);
  finder.add_netns(1, false, false);
  add_seconds(finder, 2000, 1);
  finder.add_netns(1, false, true);
  finder.add_netns(2, false, true);
  CHECK(words(std::move(finder).finish({})) == "not_read 0..2000 netns 2; ");
}

TEST_CASE("more gaps than are kept become longer ones", "[gaps]") {
  GapFinder finder(1, kStart);
  for (int i = 1; i <= 3000; ++i) {
    finder.add_interval({kStart + i * 6000 - 1000, 5, 0});
    finder.add_interval({kStart + i * 6000, 1, 0});
  }
  const auto gaps = std::move(finder).finish({});
  REQUIRE(gaps.size() == GapFinder::kMost);
  CHECK(gaps.back().to_unix_ms == kStart + 3000 * 6000 - 1000);
}
