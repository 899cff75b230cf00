// SPDX-License-Identifier: Apache-2.0
// The sections of a report of several hosts as plain text, before a format escapes and arranges them. Private to this
// folder.
#pragma once

#include <string>
#include <vector>

#include "output/report_parts.hpp"
#include "report/hosts.hpp"

namespace twtrace::output {

/// "web2: FULL scheduler.service held ...", the worst host first, and how many more there are.
std::vector<std::string> hosts_trouble_lines(const report::Hosts& hosts);

/// Each budget on all hosts that have it: "fails on 1 of 3 hosts: web2 4,454".
std::vector<VerdictLine> hosts_verdict_lines(const report::Hosts& hosts);

/// One row per host.
Grid hosts_grid(const report::Hosts& hosts);
/// The services with most arrivals: all hosts together, then each host of a service that is on several.
Grid services_grid(const report::Hosts& hosts);
/// A row for each host whose capture followed logs: how many lines share an interval with which resets.
Grid hosts_logs_grid(const report::Hosts& hosts);
/// "web2: critical: ... [table-too-small]", the worst first, and how many more there are.
std::vector<std::string> hosts_finding_lines(const report::Hosts& hosts);
/// How to see one host whole.
std::string hosts_hint(const report::Hosts& hosts);

}  // namespace twtrace::output
