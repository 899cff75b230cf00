// SPDX-License-Identifier: Apache-2.0
#include "trace/time_share.hpp"

#include "support/catch.hpp"

using twtrace::trace::TimeShare;

TEST_CASE("what has never run is due") { CHECK(TimeShare(100).is_due(0)); }

TEST_CASE("what has run is due again when its share of the time allows what it cost") {
  TimeShare share(100);
  share.ran(1'000, 7);
  CHECK_FALSE(share.is_due(1'000));
  CHECK_FALSE(share.is_due(1'699));
  CHECK(share.is_due(1'700));
  share.ran(2'000, 20);  // it took longer
  CHECK_FALSE(share.is_due(3'999));
  CHECK(share.is_due(4'000));
}

TEST_CASE("what costs nothing is always due") {
  TimeShare share(100);
  share.ran(1'000, 0);
  CHECK(share.is_due(1'000));
}
