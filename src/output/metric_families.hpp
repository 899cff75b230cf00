// SPDX-License-Identifier: Apache-2.0
// What is exported. To add a count, add its line to a table here.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/snapshot.hpp"

namespace twtrace::output {

/// A metric, without the `_total` of a counter.
struct Metric {
  enum class Type { kCounter, kGauge };
  std::string_view name;
  Type type = Type::kCounter;
  std::string_view unit;  ///< ends the name; empty: it has none
  std::string_view help;  ///< ASCII without backslashes, quotes and newlines
};

/// A name without a value stands for no label.
struct MetricLabel {
  std::string_view name;
  std::string_view value;
};

/// A count of workloads. A metric with several of them has labels that tell them apart.
struct WorkloadCount {
  Metric metric;  ///< the same for neighbours of the same name
  std::array<MetricLabel, 2> labels;
  model::CountOf of = nullptr;
  bool model::Sight::*needs = nullptr;  ///< null: every backend sees it

  bool is_known(const model::Sight& sees) const { return needs == nullptr || sees.*needs; }
};

inline constexpr Metric kBucketsCreated{"twtrace_time_wait_created", Metric::Type::kCounter, "",
                                        "TIME_WAIT buckets created, by the owner that closed first (TcpExtTW + "
                                        "TcpExtTWKilled)."};
inline constexpr Metric kBucketsRefused{"twtrace_time_wait_refused", Metric::Type::kCounter, "",
                                        "TIME_WAIT buckets refused: the connection was closed at once "
                                        "(TcpExtTCPTimeWaitOverflow). The reason is overflow for a full table."};
inline constexpr Metric kNoPort{"twtrace_connect_no_port", Metric::Type::kCounter, "",
                                "Calls of connect() that failed with EADDRNOTAVAIL because no local port was free, by "
                                "the process that called. The port is the destination's. No kernel counter has them."};
inline constexpr Metric kNoPortBind{"twtrace_bind_no_port", Metric::Type::kCounter, "",
                                    "Calls of bind() to port 0 that failed with EADDRINUSE because no local port was "
                                    "free, by the process that called. No kernel counter has them."};
inline constexpr Metric kResetsReceived{"twtrace_resets_received", Metric::Type::kCounter, "",
                                        "Resets that ended a connection at this end. felt is true if a process still "
                                        "had the socket. No kernel counter has them."};

inline constexpr Metric kPeerResets{"twtrace_peer_resets", Metric::Type::kCounter, "",
                                    "Resets sent to the peers of connections that had been refused a bucket. avoidable "
                                    "is true if a place in the table would have avoided it."};
inline constexpr Metric kResetsSent{"twtrace_resets_sent", Metric::Type::kCounter, "",
                                    "Resets that this host sent for any cause (TcpOutRsts), those to peers of refused "
                                    "connections included."};
inline constexpr Metric kQueueDrops{"twtrace_listen_queue_drops", Metric::Type::kCounter, "",
                                    "Connection attempts that a listening socket dropped, mostly because its queue was "
                                    "full (TcpExtListenDrops), by the process that has the socket."};

/// Peer resets that a place in the table would not have avoided.
inline std::uint64_t peer_resets_unavoidable(const model::Counters& counts) {
  return counts.peer_resets - std::min(counts.peer_resets_avoidable, counts.peer_resets);
}

/// Resets of sockets that no process had any more.
inline std::uint64_t resets_unfelt(const model::Counters& counts) {
  return counts.resets_received - std::min(counts.resets_felt, counts.resets_received);
}

inline constexpr std::array<WorkloadCount, 12> kWorkloadCounts = {{
    {kBucketsCreated, {}, model::count_of<&model::Counters::created>},
    {kBucketsRefused,
     {{{"stage", "time_wait"}, {"reason", "overflow"}}},
     model::count_of<&model::Counters::overflow_time_wait>},
    {kBucketsRefused,
     {{{"stage", "fin_wait2"}, {"reason", "overflow"}}},
     model::count_of<&model::Counters::overflow_fin_wait2>},
    {kBucketsRefused, {{{"stage", ""}, {"reason", "no_memory"}}}, model::count_of<&model::Counters::no_memory>},
    {kNoPort, {}, model::count_of<&model::Counters::no_port_connect>, &model::Sight::no_port},
    {kNoPortBind, {}, model::count_of<&model::Counters::no_port_bind>, &model::Sight::no_port_bind},
    {kResetsReceived,
     {{{"felt", "true"}}},
     model::count_of<&model::Counters::resets_felt>,
     &model::Sight::resets_received},
    {kResetsReceived, {{{"felt", "false"}}}, resets_unfelt, &model::Sight::resets_received},
    {kPeerResets,
     {{{"avoidable", "true"}}},
     model::count_of<&model::Counters::peer_resets_avoidable>,
     &model::Sight::resets_sent},
    {kPeerResets, {{{"avoidable", "false"}}}, peer_resets_unavoidable, &model::Sight::resets_sent},
    {kResetsSent, {}, model::count_of<&model::Counters::resets_sent>, &model::Sight::resets_sent},
    {kQueueDrops, {}, model::count_of<&model::Counters::queue_drops>, &model::Sight::queue_drops},
}};
inline constexpr std::size_t kSeriesPerWorkload = kWorkloadCounts.size() + 1;  // and the live buckets

/// How buckets of a namespace were removed.
struct RemovedCount {
  std::string_view how;
  std::uint64_t model::Counters::*count;
};
inline constexpr std::array<RemovedCount, 4> kRemovedCounts = {{{"expired", &model::Counters::expired},
                                                                {"reused", &model::Counters::reused},
                                                                {"recycled", &model::Counters::recycled},
                                                                {"purged", &model::Counters::purged}}};

/// The kernel's own counters of a namespace, and what they have more than ours.
struct KernelMetric {
  Metric metric;
  std::optional<std::uint64_t> model::KernelCounts::*count = nullptr;
};
inline constexpr std::array<KernelMetric, 6> kKernelMetrics = {{
    {{"twtrace_netstat_time_wait_created", Metric::Type::kCounter, "",
      "The kernel's own count of buckets created since twtrace started: TcpExtTW + TcpExtTWKilled (Linux 5.18 and "
      "later)."},
     &model::KernelCounts::created},
    {{"twtrace_netstat_tcp_time_wait_overflow", Metric::Type::kCounter, "",
      "The kernel's own count of buckets refused since twtrace started: TcpExtTCPTimeWaitOverflow."},
     &model::KernelCounts::overflow},
    {{"twtrace_netstat_tw_recycled", Metric::Type::kCounter, "",
      "The kernel's own count of buckets taken over by connect() since twtrace started: TcpExtTWRecycled."},
     &model::KernelCounts::reused},
    {{"twtrace_netstat_listen_overflows", Metric::Type::kCounter, "",
      "Connection attempts dropped since twtrace started because an accept queue was full: TcpExtListenOverflows."},
     &model::KernelCounts::listen_overflows},
    {{"twtrace_netstat_listen_drops", Metric::Type::kCounter, "",
      "Connection attempts dropped at listening sockets since twtrace started: TcpExtListenDrops."},
     &model::KernelCounts::listen_drops},
    {{"twtrace_netstat_out_rsts", Metric::Type::kCounter, "",
      "The kernel's own count of resets sent since twtrace started: TcpOutRsts."},
     &model::KernelCounts::out_resets},
}};

/// A count of what the kernel counted and no program saw.
struct MissedCount {
  std::string_view what;
  std::optional<std::uint64_t> model::MissedCounts::*count;
};
inline constexpr std::array<MissedCount, 4> kMissedMetrics = {{{"created", &model::MissedCounts::created},
                                                               {"refused", &model::MissedCounts::overflow},
                                                               {"resets_sent", &model::MissedCounts::resets_sent},
                                                               {"queue_drops", &model::MissedCounts::queue_drops}}};

// Buckets, limit and ports, and one series for each of the tables.
inline constexpr std::size_t kSeriesPerNamespace =
    3 + kRemovedCounts.size() + kKernelMetrics.size() + kMissedMetrics.size();

}  // namespace twtrace::output
