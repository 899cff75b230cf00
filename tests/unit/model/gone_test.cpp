// SPDX-License-Identifier: Apache-2.0
#include "model/gone.hpp"

#include <algorithm>

#include "support/catch.hpp"

using namespace twtrace;
using model::folded;
using model::NetnsRow;

namespace {

NetnsRow gone(std::uint64_t created, std::uint64_t refused = 0) {
  NetnsRow row;
  row.gone = true;
  row.counts.time_wait = created;
  row.counts.overflow_time_wait = refused;
  row.missed = {0, 0};
  return row;
}

}  // namespace

TEST_CASE("namespaces that are gone fold when nothing was counted in them, those that exist never do") {
  NetnsRow idle;
  NetnsRow wrong = gone(0);
  wrong.missed.created = 1;
  CHECK(folded(std::vector{idle, gone(0), gone(1), wrong, gone(0)}) ==
        std::vector<bool>{false, true, false, false, true});
  CHECK(folded(std::vector<NetnsRow>{}).empty());
}

TEST_CASE("of many that are gone, those with refusals, other harm or a wrong count stay, then the busiest") {
  std::vector<NetnsRow> rows;
  for (std::uint64_t i = 1; i <= 1000; ++i) rows.push_back(gone(i));
  rows[3] = gone(1, 2);
  rows[4].reconciled = false;
  rows[5].counts.resets_felt = 1;
  const std::vector<bool> left_out = folded(rows);
  CHECK(std::count(left_out.begin(), left_out.end(), false) == model::kGoneListed);
  CHECK_FALSE(left_out[3]);
  CHECK_FALSE(left_out[4]);
  CHECK_FALSE(left_out[5]);
  CHECK_FALSE(left_out[1000 - (model::kGoneListed - 3)]);
  CHECK(left_out[1000 - (model::kGoneListed - 3) - 1]);
}
