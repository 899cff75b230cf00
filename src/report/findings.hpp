// SPDX-License-Identifier: Apache-2.0
// The findings of a report, and what to do about them. Private to this folder and its tests.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// All findings, worst first. Pure. No finding ever advises a lower limit, tcp_tw_recycle or a lower tcp_fin_timeout.
std::vector<Finding> findings(const Report& report);

/// Thresholds. A finding appears from these values on.
inline constexpr double kFinWait2Share = 0.2;         ///< of all created
inline constexpr std::uint64_t kFinWait2Least = 100;  ///< created as FIN_WAIT2; fewer show no pattern
inline constexpr std::uint64_t kPortsCriticalPercent = 90;
inline constexpr std::size_t kNamespacesTold = 3;  ///< namespaces per kind of finding
inline constexpr std::size_t kOwnersTold = 3;      ///< owners per finding

/// Fewer connections of an ended process do not look like a restart.
inline constexpr std::uint64_t kConnectionsOfOne = 10;
/// An owner that closed more than this many times NetnsReport::busiest_arrivals closed most of them before its end.
inline constexpr std::uint64_t kRestartBurst = 2;
inline constexpr std::uint64_t kAbortsLeast = 10;  ///< connections that one owner ended with a reset

using Findings = std::vector<Finding>;

// One function for each kind. It appends nothing if the numbers show no problem.

/// The table was full or nearly full. Names the size that the measured peak needs, and its memory.
void table_too_small(const Report& report, Findings& out);
/// Who closed first and was refused.
void refused(const Report& report, Findings& out);
/// Peers of refused connections were reset: how many of them a place in the table would have spared.
void peer_resets(const Report& report, Findings& out);
/// Programs on this host noticed resets.
void resets_felt(const Report& report, Findings& out);
/// A program ends its connections with resets.
void aborts(const Report& report, Findings& out);
/// connect() found no local port.
void no_port(const Report& report, Findings& out);
/// Allocations failed.
void no_memory(const Report& report, Findings& out);
/// Who filled a table that was nearly full.
void fills_table(const Report& report, Findings& out);
/// A client takes most ephemeral ports towards one destination.
void ports_taken(const Report& report, Findings& out);
/// A client calls bind() before connect(), and so takes ports from all other connections.
void bind_before_connect(const Report& report, Findings& out);
/// Many buckets begin as FIN_WAIT2: the other end closes late or never.
void fin_wait2_share(const Report& report, Findings& out);
/// Accept queues overflowed during the capture.
void listen_queues(const Report& report, Findings& out);
/// Limits that are low or differ, and settings that do not do what people expect. `twtrace doctor` says the same.
void settings(const Report& report, Findings& out);
/// The limit was changed while the capture ran.
void limit_changed(const Report& report, Findings& out);
/// The kernel counted what no program saw, or detail was lost.
void incomplete(const Report& report, Findings& out);

/// The table refused buckets, those included that only the kernel counted. It counts a lack of memory as the same.
bool overflowed(const NetnsReport& netns);
/// The table was full, or nearly. If nothing was created, it filled up before the capture, and nobody was refused.
bool nearly_full(const NetnsReport& netns);
/// The limit that is advised: what wanted a place within the life of a bucket, and was there, with headroom, rounded
/// up; never a small table.
std::uint64_t needed_limit(const NetnsReport& netns);
/// How to set needed_limit() in the namespace, and the memory of a full table; that nothing is to be done if the limit
/// was raised since, and that is enough.
std::string change_of_limit(const Report& report, const NetnsReport& netns);

}  // namespace twtrace::report
