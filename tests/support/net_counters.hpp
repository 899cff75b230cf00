// SPDX-License-Identifier: Apache-2.0
// The kernel's own counters of a network namespace. They are the ground truth of this tier.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace twtrace::test {

/// Values of /proc/PID/net/netstat and sockstat. Since 5.18, the kernel counts a bucket when it allocates it. TWKilled
/// counts a lifetime of up to 4 s (a FIN_WAIT2 bucket if tcp_fin_timeout is at most 4), and TW a longer one.
struct NetCounters {
  std::int64_t tw = 0;
  std::int64_t tw_killed = 0;
  std::int64_t reused = 0;    ///< TWRecycled
  std::int64_t overflow = 0;  ///< TCPTimeWaitOverflow
  std::int64_t in_use = 0;    ///< sockstat tw, a gauge

  std::int64_t created() const { return tw + tw_killed; }
  bool operator==(const NetCounters&) const = default;
};

/// The differences of the counters, and the change of in_use, which is a gauge.
NetCounters operator-(const NetCounters& after, const NetCounters& before);

/// Counters of the namespace of process `pid`. Throws std::runtime_error if they cannot be read.
NetCounters read_counters(pid_t pid);

}  // namespace twtrace::test
