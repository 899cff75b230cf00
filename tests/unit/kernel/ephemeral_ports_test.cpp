// SPDX-License-Identifier: Apache-2.0
#include "kernel/ephemeral_ports.hpp"

#include "support/catch.hpp"

using namespace twtrace::kernel;

TEST_CASE("reserved ports are not for connect()") {
  const EphemeralPorts ports(32768, 60999, "40000,50000-50009\n");
  CHECK(ports.size() == 28232 - 11);
  CHECK(ports.contains(32768));
  CHECK(ports.contains(60999));
  CHECK_FALSE(ports.contains(61000));
  CHECK_FALSE(ports.contains(40000));
  CHECK_FALSE(ports.contains(50009));
  CHECK(ports.contains(50010));
  CHECK(EphemeralPorts(1, 65535, "").size() == 65535);
  CHECK(EphemeralPorts(10, 5, "").size() == 0);
  for (const char* nonsense : {"x", "1-x", ",,", "7-3", "99999", "-", "65535-65535,0-0"}) {
    INFO(nonsense);
    CHECK(EphemeralPorts(100, 199, nonsense).size() == 100);
  }
}
