// SPDX-License-Identifier: Apache-2.0
#include "kernel/ephemeral_ports.hpp"

#include "support/catch.hpp"

using namespace twtrace::kernel;

TEST_CASE("reserved ports are not for connect()") {
  CHECK(count_ephemeral_ports(32768, 60999, "40000,50000-50009\n") == 28232 - 11);
  CHECK(count_ephemeral_ports(50000, 50010, "40000,50000-50009\n") == 1);
  CHECK(count_ephemeral_ports(40000, 40000, "40000,50000-50009\n") == 0);
  CHECK(count_ephemeral_ports(60999, 61000, "40000") == 2);
  CHECK(count_ephemeral_ports(1, 65535, "") == 65535);
  CHECK(count_ephemeral_ports(10, 5, "") == 0);
  for (const char* nonsense : {"x", "1-x", ",,", "7-3", "99999", "-", "65535-65535,0-0"}) {
    INFO(nonsense);
    CHECK(count_ephemeral_ports(100, 199, nonsense) == 100);
  }
}
