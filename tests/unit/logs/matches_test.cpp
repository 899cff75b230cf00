// SPDX-License-Identifier: Apache-2.0
#include "logs/matches.hpp"

#include <numeric>

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::logs;

namespace {

std::uint64_t lines_in(const std::vector<model::LogLine>& all) {
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const model::LogLine& line) { return sum + line.lines; });
}

}  // namespace

TEST_CASE("lines are taken once, in order, with their first bytes") {
  Matches matches;
  matches.add(1, 5000, "first");
  matches.add(0, 5001, std::string(1000, 'x'));
  CHECK(matches.take() ==
        std::vector<model::LogLine>{{1, 5000, 1, "first"}, {0, 5001, 1, std::string(kLongestText, 'x')}});
  CHECK(matches.take().empty());
}

TEST_CASE("of many lines in a second some are kept, and the others counted by log") {
  Matches matches;
  for (int i = 0; i < 307; ++i) matches.add(0, 7000 + i, "a");
  for (int i = 0; i < 11; ++i) matches.add(1, 7990 + i % 10, "b");
  matches.add(1, 8000, "next second");
  const auto all = matches.take();
  REQUIRE(all.size() == kMostPerSecond + 3);
  CHECK(lines_in(all) == 307 + 11 + 1);
  CHECK(all[kMostPerSecond] == model::LogLine{1, 8000, 1, "next second"});
  CHECK(all[kMostPerSecond + 1] == model::LogLine{0, 7306, 207, {}});
  CHECK(all[kMostPerSecond + 2] == model::LogLine{1, 7990, 11, {}});
}

TEST_CASE("neither a long interval nor a long capture keeps more than its share") {
  Matches matches;
  std::int64_t time = 0;
  std::size_t kept = 0;
  std::uint64_t added = 0;
  std::uint64_t taken = 0;
  for (int interval = 0; interval < 12; ++interval) {
    for (int i = 0; i < 15'000; ++i, time += 10) matches.add(0, time, "x"), ++added;
    const auto all = matches.take();
    CHECK(all.size() <= kMostPerTake + 1);
    for (const model::LogLine& line : all) kept += line.text ? 1 : 0;
    taken += lines_in(all);
  }
  CHECK(kept == kMostEver);
  CHECK(taken == added);
}
