// SPDX-License-Identifier: Apache-2.0
#include "report/findings.hpp"

#include <algorithm>

namespace twtrace::report {

std::vector<Finding> findings(const Report& report) {
  Findings all;
  for (const auto find :
       {refused, peer_resets, no_port, no_memory, table_too_small, fills_table, ports_taken, bind_before_connect,
        fin_wait2_share, listen_queues, resets_felt, aborts, limit_changed, settings, incomplete}) {
    find(report, all);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Finding& left, const Finding& right) { return left.severity < right.severity; });
  return all;
}

}  // namespace twtrace::report
