// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_list.hpp"

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace;
using namespace twtrace::kernel;
using Cpus = std::vector<std::uint32_t>;

TEST_CASE("a list of CPUs has ranges and single ones") {
  CHECK(parse_cpu_list("0\n").value() == Cpus{0});
  CHECK(parse_cpu_list("0-3\n").value() == Cpus{0, 1, 2, 3});
  CHECK(parse_cpu_list("0-1,4,6-7\n").value() == Cpus{0, 1, 4, 6, 7});
}

TEST_CASE("what is not a list of CPUs is refused") {
  for (const char* text : {"", "\n", "a", "1-", "-1", "3-1", "0,", "1,1", "2-3,3", "0-4294967295", "0;1", "0 1"}) {
    INFO(text);
    const auto cpus = parse_cpu_list(text);
    REQUIRE_FALSE(cpus);
    CHECK(cpus.error().code == base::ErrorCode::kInvalid);
  }
}

TEST_CASE("the possible CPUs are read from sysfs") {
  const TempTree tree;
  CHECK(possible_cpus(tree.root()).error().code == base::ErrorCode::kNotFound);
  tree.file("devices/system/cpu/possible", "0-1,8\n");
  CHECK(possible_cpus(tree.root()).value() == Cpus{0, 1, 8});
  tree.file("devices/system/cpu/possible", "all\n");
  CHECK(possible_cpus(tree.root()).error().what.find("possible") != std::string::npos);
  CHECK(possible_cpus());
}
