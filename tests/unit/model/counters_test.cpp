// SPDX-License-Identifier: Apache-2.0
#include "model/counters.hpp"

#include "support/catch.hpp"

using twtrace::model::Counters;

namespace {

// Different powers of two, so that the sum shows a field that is forgotten or counted twice.
constexpr Counters kOnes = {1,    2,    4,    8,    16,    32,    64,    128,    256,   512,
                            1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144};

}  // namespace

TEST_CASE("counter sums name the right fields") {
  CHECK(kOnes.created() == 1 + 2);
  CHECK(kOnes.overflow() == 4 + 8);
  CHECK(kOnes.refused() == 4 + 8 + 16);
  CHECK(kOnes.removed() == 32 + 64 + 128 + 256);
  CHECK(kOnes.resets_sent() == 4096 + 16384 + 32768 + 65536 + 131072);
}

TEST_CASE("counters add and subtract field by field") {
  CHECK(kOnes + kOnes == Counters{2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536,
                                  131072, 262144, 524288});
  Counters difference = {11,   12,   14,   18,   26,    42,    74,    138,    266,   522,
                         1034, 2058, 4106, 8202, 16394, 32778, 65546, 131082, 262154};
  difference -= kOnes;
  CHECK(difference == Counters{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10});
}

TEST_CASE("a difference never falls below zero") {
  Counters counts = {0, 1, 100, 7, 15, 0, 65, 127, 1};
  counts -= kOnes;
  CHECK(counts == Counters{0, 0, 96, 0, 0, 0, 1, 0, 0});
}
