// SPDX-License-Identifier: Apache-2.0
#include "logs/messages.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::logs;

TEST_CASE("what was found survives the way") {
  const Found found{{{0, 1'700'000'000'123, 1, std::string("a\0\xff", 3)}, {1, 5, 77, {}}, {1, 6, 1, ""}},
                    {{3, 1ULL << 40U, "it did not appear during the capture"}, {}}};
  CHECK(found_of(fields_of(found), 2) == found);
  CHECK(found_of(fields_of(Found{{}, {{}}}), 1) == Found{{}, {{}}});
}

TEST_CASE("what no reader says is refused") {
  const auto good = fields_of(Found{{{0, 5, 1, "x"}}, {{}}});
  REQUIRE(found_of(good, 1));
  CHECK_FALSE(found_of(good, 2));
  CHECK_FALSE(found_of(good, 0));
  CHECK_FALSE(found_of({}, 1));
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad.pop_back();
    CHECK_FALSE(found_of(bad, 1));
    bad = good;
    bad[i] = "nonsense";
    const bool text = i == 2 || i >= 6;  // the problem, and what is not "1"
    CHECK(static_cast<bool>(found_of(bad, 1)) == text);
  }
  CHECK_FALSE(found_of({"0", "0", "", "1", "5", "1", "1", "x"}, 1));  // of a log that there is not
}
