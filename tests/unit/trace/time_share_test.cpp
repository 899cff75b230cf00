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

TEST_CASE("what need not run yet rests as long as it is asked to, and longer if its share asks for more") {
  TimeShare share(100);
  CHECK(share.is_due(5, 5));
  share.ran(1000, 7);
  CHECK(!share.is_due(1799, 800));
  CHECK(share.is_due(1800, 800));
  CHECK(!share.is_due(1699, 600));
  CHECK(share.is_due(1700, 600));
}
