// SPDX-License-Identifier: Apache-2.0
#include "trace/jiffies.hpp"

#include <algorithm>

#include "kernel/sysctl.hpp"

namespace twtrace::trace {

std::uint64_t jiffies_per_second(std::span<const tw_namespace_reading> pass, std::uint32_t own_inum) {
  const auto seconds = kernel::Sysctl().read_u64(kernel::kTcpFinTimeout);
  const auto own = std::find_if(pass.begin(), pass.end(), [own_inum](const tw_namespace_reading& reading) {
    return reading.inum == own_inum && reading.exiting == 0;
  });
  if (own == pass.end() || !seconds || *seconds == 0) return 0;
  return own->settings.fin_timeout / *seconds;
}

}  // namespace twtrace::trace
