// SPDX-License-Identifier: Apache-2.0
#include "demo/pace.hpp"

#include "support/catch.hpp"

using twtrace::demo::due;
using twtrace::demo::Pace;

TEST_CASE("a steady pace") {
  const Pace pace{45, 0, 0, 0};
  CHECK(due(pace, 0) == 0);
  CHECK(due(pace, 1) == 45);
  CHECK(due(pace, 60) == 2700);
}

TEST_CASE("a wave begins late and ends") {
  const Pace pace{900, 3, 12, 0};
  CHECK(due(pace, 2.9) == 0);
  CHECK(due(pace, 4) == 900);
  CHECK(due(pace, 15) == 10800);
  CHECK(due(pace, 1000) == 10800);
}

TEST_CASE("waves that come again") {
  const Pace pace{900, 3, 12, 60};
  CHECK(due(pace, 15) == 10800);
  CHECK(due(pace, 62.9) == 10800);
  CHECK(due(pace, 64) == 11700);
  CHECK(due(pace, 80) == 21600);
}
