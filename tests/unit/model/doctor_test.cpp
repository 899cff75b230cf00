// SPDX-License-Identifier: Apache-2.0
#include "model/doctor.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using model::DoctorNetns;

TEST_CASE("worst first: nearly full, then refusals, then fill, then number") {
  const auto make = [](std::uint32_t id, std::uint64_t in_use, std::uint64_t overflow) {
    DoctorNetns netns;
    netns.netns = id;
    netns.limit = 1000;
    netns.in_use = in_use;
    netns.overflow = overflow;
    return netns;
  };
  std::vector<DoctorNetns> all = {make(1, 10, 0), make(2, 500, 0), make(3, 0, 7),
                                  make(4, 0, 9),  make(5, 900, 0), make(6, 10, 0)};
  model::sort_worst_first(all);
  std::vector<std::uint32_t> order;
  for (const auto& netns : all) order.push_back(netns.netns);
  CHECK(order == std::vector<std::uint32_t>{5, 4, 3, 2, 1, 6});
}
