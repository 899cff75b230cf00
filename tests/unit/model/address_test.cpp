// SPDX-License-Identifier: Apache-2.0
#include "model/address.hpp"

#include "support/catch.hpp"

using namespace twtrace;

TEST_CASE("addresses are printed as people write them") {
  const std::uint8_t v4[16] = {192, 0, 2, 255, 0xff, 0xff};  // only the first four bytes count
  CHECK(model::format_address(false, v4) == "192.0.2.255");
  const std::uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  CHECK(model::format_address(true, v6) == "2001:db8::1");
}
