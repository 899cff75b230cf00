// SPDX-License-Identifier: Apache-2.0
#include "report/unseen.hpp"

#include <algorithm>

namespace twtrace::report {
namespace {

using Missed = std::optional<std::uint64_t> model::MissedCounts::*;

Missed missed_part(Metric metric) {
  switch (metric) {
    case Metric::kCreated:
    case Metric::kTimeWait:
    case Metric::kFinWait2:
    case Metric::kUnattributed:
    case Metric::kCreatedRatio:
    case Metric::kCreatedPerSPeak:
      return &model::MissedCounts::created;
    case Metric::kOverflow:
    case Metric::kOverflowTimeWait:
    case Metric::kOverflowFinWait2:
    case Metric::kNoMemory:
      return &model::MissedCounts::overflow;
    case Metric::kQueueDrops:
      return &model::MissedCounts::queue_drops;
    default:
      return info(metric).needs == &model::Sight::resets_sent ? &model::MissedCounts::resets_sent : nullptr;
  }
}

/// What rows have that may be those of the budget.
std::uint64_t of_unknown(const Asked& asked) {
  const auto count = info(asked.budget.metric).count;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; count != nullptr && i < asked.perhaps.size(); ++i) {
    if (asked.perhaps[i]) sum += count(asked.report.owners[i].row.counts);
  }
  return sum;
}

bool is_peer_reset(Metric metric) { return metric == Metric::kPeerResets || metric == Metric::kPeerResetsAvoidable; }

}  // namespace

Unseen unseen(const Asked& asked) {
  const Budget& budget = asked.budget;
  const Report& report = asked.report;
  Unseen unseen{0, of_unknown(asked), "that no program saw"};
  // Of all sockets together it is known how many: measure() adds them.
  if (budget.metric == Metric::kQueueDrops && !asked.by_owner) return unseen;
  const Missed missed = missed_part(budget.metric);
  // A reset to the peer of a refused connection that was forgotten counts as another one.
  const bool forgotten = is_peer_reset(budget.metric) && report.lost.refused_full != 0;
  for (std::size_t i = 0; i < report.namespaces.size(); ++i) {
    if (!asked.namespaces[i]) continue;
    const NetnsReport& netns = report.namespaces[i];
    if (missed != nullptr) unseen.count += (netns.last.missed.*missed).value_or(0);
    if (!forgotten || netns.last.counts.resets_other == 0) continue;
    unseen.count += netns.last.counts.resets_other;
    unseen.why = "among resets_other, because twtrace could not remember all refused connections";
  }
  if (unseen.of_unknown != 0) {
    unseen.why = unseen.count == 0 ? "of processes that are not known, in a service that has one of that name"
                                   : "that no program saw, or whose process is not known";
  }
  return unseen;
}

bool knows_peer_resets(const Report& report) {
  const auto missed_none = [](const NetnsReport& netns) { return netns.last.missed.resets_sent.value_or(0) == 0; };
  return report.info.probe.sees.resets_sent && report.lost.refused_full == 0 &&
         std::all_of(report.namespaces.begin(), report.namespaces.end(), missed_none);
}

}  // namespace twtrace::report
