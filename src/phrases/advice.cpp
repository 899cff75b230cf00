// SPDX-License-Identifier: Apache-2.0
#include "phrases/advice.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "base/format.hpp"

namespace twtrace::phrases {

std::string sysctl_change(const Place& place, const std::string& name, std::uint64_t value) {
  return sysctl_change(place, name, std::to_string(value));
}

std::string sysctl_change(const Place& place, const std::string& name, const std::string& value) {
  const std::string setting = name + "=" + (value.find(' ') == std::string::npos ? value : '"' + value + '"');
  const std::string command = "sysctl -w " + setting;
  if (place.host) return command + " (to keep it, put " + name + " = " + value + " into " + kSysctlFile + ")";
  const std::string where = "set it where the namespace is created: docker run --sysctl " + setting +
                            ", sysctls: in a compose file, securityContext.sysctls in a pod";
  if (place.gone) return "the namespace is gone; for the next one, " + where;
  // Of a namespace without a name we know only that it has processes. lsns names one.
  const std::string entry = place.pid            ? "/proc/" + std::to_string(*place.pid) + "/ns/net"
                            : place.path.empty() ? "/proc/PID/ns/net"
                                                 : base::shell_word(place.path);
  return "nsenter --net=" + entry + " " + command + " (to keep it, " + where + ")";
}

std::string limit_change(const Place& place, std::uint64_t wanted, std::uint64_t bucket_bytes) {
  const std::uint64_t value = std::min(std::max(wanted, kLowLimit), kMaxLimit);
  return sysctl_change(place, kMaxTwBuckets, value) + "; " + base::bytes(value * bucket_bytes / 1024 * 1024) +
         " of kernel memory when full";
}

}  // namespace twtrace::phrases
