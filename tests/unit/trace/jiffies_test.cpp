// SPDX-License-Identifier: Apache-2.0
#include "trace/jiffies.hpp"

#include <vector>

#include "kernel/sysctl.hpp"
#include "support/catch.hpp"

using namespace twtrace;

TEST_CASE("a second has as many jiffies as our own namespace's tcp_fin_timeout says") {
  const auto seconds = kernel::Sysctl().read_u64(kernel::kTcpFinTimeout);
  REQUIRE(seconds);
  std::vector<tw_namespace_reading> pass(3);
  pass[0].inum = 1;
  pass[0].settings.fin_timeout = 1;
  pass[1].inum = 7;
  pass[1].exiting = 1;  // a dead namespace that still has our inode number
  pass[1].settings.fin_timeout = 2;
  pass[2].inum = 7;
  pass[2].settings.fin_timeout = static_cast<std::uint32_t>(*seconds * 300);
  CHECK(trace::jiffies_per_second(pass, 7) == (*seconds == 0 ? 0U : 300U));
  CHECK(trace::jiffies_per_second(pass, 8) == 0);
}
