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

template <std::uint64_t Counters::*kMember>
std::uint64_t member(const Counters& counts) {
  return counts.*kMember;
}
std::uint64_t created(const Counters& counts) { return counts.created(); }
std::uint64_t overflow(const Counters& counts) { return counts.overflow(); }

// clang-format off
constexpr std::array<MetricInfo, 18> kMetrics = {{
    {Metric::kCreated, "created", Labels::kAll, kOfCreated, created, false, "buckets created"},
    {Metric::kTimeWait, "time_wait", Labels::kAll, kOfCreated, member<&Counters::time_wait>, false, "created as TIME_WAIT"},
    {Metric::kFinWait2, "fin_wait2", Labels::kAll, kOfCreated, member<&Counters::fin_wait2>, false, "created as FIN_WAIT2"},
    {Metric::kOverflow, "overflow", Labels::kAll, kOfArrivals, overflow, false, "refused: the table was at its limit"},
    {Metric::kOverflowTimeWait, "overflow_time_wait", Labels::kAll, kOfArrivals, member<&Counters::overflow_time_wait>, false, "refused at the TIME_WAIT stage"},
    {Metric::kOverflowFinWait2, "overflow_fin_wait2", Labels::kAll, kOfArrivals, member<&Counters::overflow_fin_wait2>, false, "refused at the FIN_WAIT2 stage"},
    {Metric::kNoMemory, "no_memory", Labels::kAll, kOfArrivals, member<&Counters::no_memory>, false, "refused: the allocation failed"},
    {Metric::kReused, "reused", Labels::kAll, kOfCreated, member<&Counters::reused>, true, "taken over by an outgoing connect"},
    {Metric::kRecycled, "recycled", Labels::kAll, kOfCreated, member<&Counters::recycled>, true, "ended early by an incoming SYN"},
    {Metric::kExpired, "expired", Labels::kAll, kOfCreated, member<&Counters::expired>, true, "removed by the timer"},
    {Metric::kPurged, "purged", Labels::kAll, kOfCreated, member<&Counters::purged>, true, "removed by anything else"},
    {Metric::kUnattributed, "unattributed", Labels::kNetns, kOfCreated, nullptr, false, "created, and no owner is known"},
    {Metric::kInUsePeak, "in_use_peak", Labels::kNetns, kOfLimit, nullptr, false, "most buckets at one time, of the worst namespace"},
    {Metric::kCreatedRatio, "created_ratio", Labels::kAll, nullptr, created, false, "created per second during / before the command"},
    {Metric::kCreatedPerSPeak, "created_per_s_peak", Labels::kNetns, nullptr, nullptr, false, "created per second, in the busiest interval"},
    {Metric::kMissed, "missed", Labels::kNetns, nullptr, nullptr, false, "counted by the kernel and seen by no program"},
    {Metric::kLostEvents, "lost_events", Labels::kNone, nullptr, nullptr, false, "events lost (counts are not)"},
    {Metric::kLostCounts, "lost_counts", Labels::kNone, nullptr, nullptr, false, "counts lost"},
}};
// clang-format on

}  // namespace

std::span<const MetricInfo> metrics() { return kMetrics; }

const MetricInfo& info(Metric metric) {
  return *std::find_if(kMetrics.begin(), kMetrics.end(),
                       [&](const MetricInfo& known) { return known.metric == metric; });
}

}  // namespace twtrace::report
