// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "report/budget.hpp"

namespace twtrace::report {
namespace {

using model::Counters;

constexpr const char* kOfCreated = "of all created";
constexpr const char* kOfArrivals = "of all that asked for a place";
constexpr const char* kOfLimit = "of the limit";
constexpr const char* kOfPorts = "of the local ports";

// clang-format off
constexpr std::array<MetricInfo, 31> kMetrics = {{
    {Metric::kCreated, "created", Labels::kAll, kOfCreated, model::count_of<&Counters::created>, nullptr, "buckets created"},
    {Metric::kTimeWait, "time_wait", Labels::kAll, kOfCreated, model::count_of<&Counters::time_wait>, nullptr, "created as TIME_WAIT"},
    {Metric::kFinWait2, "fin_wait2", Labels::kAll, kOfCreated, model::count_of<&Counters::fin_wait2>, nullptr, "created as FIN_WAIT2"},
    {Metric::kOverflow, "overflow", Labels::kAll, kOfArrivals, model::count_of<&Counters::overflow>, nullptr, "refused: the table was at its limit"},
    {Metric::kOverflowTimeWait, "overflow_time_wait", Labels::kAll, kOfArrivals, model::count_of<&Counters::overflow_time_wait>, nullptr, "refused at the TIME_WAIT stage"},
    {Metric::kOverflowFinWait2, "overflow_fin_wait2", Labels::kAll, kOfArrivals, model::count_of<&Counters::overflow_fin_wait2>, nullptr, "refused at the FIN_WAIT2 stage"},
    {Metric::kNoMemory, "no_memory", Labels::kAll, kOfArrivals, model::count_of<&Counters::no_memory>, nullptr, "refused: the allocation failed"},
    {Metric::kReused, "reused", Labels::kAll, kOfCreated, model::count_of<&Counters::reused>, &model::Sight::removal, "taken over by an outgoing connect"},
    {Metric::kRecycled, "recycled", Labels::kAll, kOfCreated, model::count_of<&Counters::recycled>, &model::Sight::removal, "ended early by an incoming SYN"},
    {Metric::kExpired, "expired", Labels::kAll, kOfCreated, model::count_of<&Counters::expired>, &model::Sight::removal, "removed by the timer"},
    {Metric::kPurged, "purged", Labels::kAll, kOfCreated, model::count_of<&Counters::purged>, &model::Sight::removal, "removed by anything else"},
    {Metric::kNoPort, "no_port", Labels::kAll, nullptr, model::count_of<&Counters::no_port>, &model::Sight::no_port, "connect() or bind() without a free local port"},
    {Metric::kNoPortBind, "no_port_bind", Labels::kAll, nullptr, model::count_of<&Counters::no_port_bind>, &model::Sight::no_port_bind, "those of bind()"},
    {Metric::kResetsReceived, "resets_received", Labels::kAll, nullptr, model::count_of<&Counters::resets_received>, &model::Sight::resets_received, "resets that ended a connection here"},
    {Metric::kResetsFelt, "resets_felt", Labels::kAll, nullptr, model::count_of<&Counters::resets_felt>, &model::Sight::resets_received, "those of a socket that a process still had"},
    {Metric::kPeerResets, "peer_resets", Labels::kAll, nullptr, model::count_of<&Counters::peer_resets>, &model::Sight::resets_sent, "resets to peers of connections that had been refused a bucket"},
    {Metric::kPeerResetsAvoidable, "peer_resets_avoidable", Labels::kAll, nullptr, model::count_of<&Counters::peer_resets_avoidable>, &model::Sight::resets_sent, "those that a place in the table would have avoided"},
    {Metric::kResetsSent, "resets_sent", Labels::kAll, nullptr, model::count_of<&Counters::resets_sent>, &model::Sight::resets_sent, "all resets that this host sent"},
    {Metric::kResetsLate, "resets_late", Labels::kAll, nullptr, model::count_of<&Counters::resets_late>, &model::Sight::resets_sent, "to a segment that came after the close"},
    {Metric::kResetsAborted, "resets_aborted", Labels::kAll, nullptr, model::count_of<&Counters::resets_aborted>, &model::Sight::resets_sent, "a process ended the connection with a reset"},
    {Metric::kResetsClosedPort, "resets_closed_port", Labels::kAll, nullptr, model::count_of<&Counters::resets_closed_port>, &model::Sight::resets_sent, "to a SYN for a port on which nobody listens"},
    {Metric::kResetsOther, "resets_other", Labels::kAll, nullptr, model::count_of<&Counters::resets_other>, &model::Sight::resets_sent, "all others"},
    {Metric::kQueueDrops, "queue_drops", Labels::kAll, nullptr, model::count_of<&Counters::queue_drops>, &model::Sight::queue_drops, "connection attempts that listening sockets dropped"},
    {Metric::kUnattributed, "unattributed", Labels::kNetns, kOfCreated, nullptr, nullptr, "created, and no owner is known"},
    {Metric::kInUsePeak, "in_use_peak", Labels::kNetns, kOfLimit, nullptr, nullptr, "most buckets at one time, of the worst namespace"},
    {Metric::kPortsTakenPeak, "ports_taken_peak", Labels::kNetns, kOfPorts, nullptr, nullptr, "most local ports taken at one time, towards the worst destination"},
    {Metric::kCreatedRatio, "created_ratio", Labels::kAll, nullptr, model::count_of<&Counters::created>, nullptr, "created per second during / before the command"},
    {Metric::kCreatedPerSPeak, "created_per_s_peak", Labels::kNetns, nullptr, nullptr, nullptr, "created per second, in the busiest interval"},
    {Metric::kMissed, "missed", Labels::kNetns, nullptr, nullptr, nullptr, "counted by the kernel and seen by no BPF program"},
    {Metric::kLostEvents, "lost_events", Labels::kNone, nullptr, nullptr, nullptr, "events lost (counts are not)"},
    {Metric::kLostCounts, "lost_counts", Labels::kNone, nullptr, nullptr, nullptr, "counts lost"},
}};
// clang-format on

}  // namespace

std::span<const MetricInfo> metrics() { return kMetrics; }

const MetricInfo& info(Metric metric) {
  return *std::find_if(kMetrics.begin(), kMetrics.end(),
                       [&](const MetricInfo& known) { return known.metric == metric; });
}

}  // namespace twtrace::report
