// SPDX-License-Identifier: Apache-2.0
#include "trace/patience.hpp"

#include "support/catch.hpp"

using twtrace::trace::Patience;
using namespace std::chrono_literals;

TEST_CASE("patience is used up, and comes back at half the speed of time") {
  Patience patience(1s);
  CHECK(patience.left(500s) == 1s);
  patience.waited(500s, 500s + 300ms);
  CHECK(patience.left(500s + 300ms) == 700ms);
  patience.waited(500s + 300ms, 503s);  // longer than there was
  CHECK(patience.left(503s) == 0s);
  CHECK(patience.left(504s) == 500ms);
  CHECK(patience.left(600s) == 1s);
}
