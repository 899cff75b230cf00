// SPDX-License-Identifier: Apache-2.0
#include "trace/reading_plan.hpp"

#include <set>

#include "support/catch.hpp"

using twtrace::trace::ReadingPlan;
using Candidates = std::vector<ReadingPlan::Candidate>;
using Ids = ReadingPlan::Ids;

namespace {

/// This many candidates that were read and have not changed since.
Candidates quiet(std::uint32_t count) {
  Candidates candidates;
  for (std::uint32_t id = 1; id <= count; ++id) candidates.push_back({id, true, false});
  return candidates;
}

}  // namespace

TEST_CASE("where there are few, those are read before whose counts have moved, and all afterwards") {
  ReadingPlan plan(4);
  Candidates candidates = quiet(3);
  candidates[1].moved = true;
  CHECK(plan.due_before(candidates, false) == Ids{2});
  CHECK(plan.due_after(candidates, false) == Ids{1, 2, 3});
}

TEST_CASE("who was never read is read before") {
  ReadingPlan plan(4);
  Candidates candidates = quiet(3);
  candidates[2].was_read = false;
  CHECK(plan.due_before(candidates, false) == Ids{3});
}

TEST_CASE("of many only so many are read") {
  ReadingPlan plan(2);
  Candidates candidates = quiet(5);
  for (auto& candidate : candidates) candidate.was_read = false;
  CHECK(plan.due_before(candidates, false) == Ids{1, 2});
  CHECK(plan.due_after(candidates, false) == Ids{1, 2});
}

TEST_CASE("of many the last reading stands for the one before, also where counts have moved") {
  ReadingPlan plan(2);
  Candidates candidates = quiet(5);
  candidates[0].moved = true;
  CHECK(plan.due_before(candidates, false).empty());
}

TEST_CASE("those that have moved come first, then those read longest ago") {
  ReadingPlan plan(2);
  Candidates candidates = quiet(5);
  candidates[3].moved = true;
  plan.due_before(candidates, false);
  CHECK(plan.due_after(candidates, false) == Ids{4, 1});
  candidates[3].moved = false;
  plan.due_before(candidates, false);
  CHECK(plan.due_after(candidates, false) == Ids{2, 3});
  plan.due_before(candidates, false);
  CHECK(plan.due_after(candidates, false) == Ids{5, 1});
}

TEST_CASE("everyone's turn comes, although others move all the time") {
  ReadingPlan plan(3);
  Candidates candidates = quiet(10);
  candidates[0].moved = candidates[1].moved = true;
  std::set<std::uint32_t> read;
  for (int sample = 0; sample < 8; ++sample) {
    plan.due_before(candidates, false);
    for (const std::uint32_t id : plan.due_after(candidates, false)) read.insert(id);
  }
  CHECK(read.size() == 10);
}

TEST_CASE("a fresh sample reads everyone, before and afterwards") {
  ReadingPlan plan(2);
  const Candidates candidates = quiet(5);
  CHECK(plan.due_before(candidates, true) == Ids{1, 2, 3, 4, 5});
  CHECK(plan.due_after(candidates, true) == Ids{1, 2, 3, 4, 5});
}
