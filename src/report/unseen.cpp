// SPDX-License-Identifier: Apache-2.0
#include "report/unseen.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

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

/// Rows that do not say all that a budget asks for, by what they lack.
enum Lacking { kProcess, kService, kOnePort, kNamespace, kOneOwner, kOwner, kLackings };

Lacking lacking(const Asked& asked, const model::Row& row) {
  if (row.kind == model::RowKind::kOther) return kOneOwner;
  if (row.kind != model::RowKind::kNormal) return kOwner;
  const view::Subject subject = view::subject_of(row);
  if (asked.budget.selector.asks(view::Key::kComm) && subject.comm.empty()) return kProcess;
  if (asked.budget.selector.asks(view::Key::kPort) && !subject.port) return kOnePort;
  if (asked.budget.selector.asks(view::Key::kService) &&
      (subject.service == nullptr || subject.service->name.empty())) {
    return kService;
  }
  return kNamespace;
}

/// What rows have that may be those of the budget, and whose counts these are.
void add_unknown(Unseen& unseen, const Asked& asked) {
  static constexpr std::array<const char*, kLackings> kWords = {
      "processes that are not known, in a service that has one of that name",
      "processes whose service is not known",
      "clients that talk to many ports",
      "namespaces that were forgotten",
      "(other), which merges many owners",
      "(unattributed), whose owner is not known",
  };
  const auto count = info(asked.budget.metric).count;
  std::array<bool, kLackings> lack{};
  for (std::size_t i = 0; count != nullptr && i < asked.perhaps.size(); ++i) {
    if (!asked.perhaps[i]) continue;
    const model::Row& row = asked.report.owners[i].row;
    const std::uint64_t some = count(row.counts);
    unseen.of_unknown += some;
    lack[lacking(asked, row)] |= some != 0;
  }
  if (unseen.of_unknown == 0) return;
  const std::size_t first = static_cast<std::size_t>(std::find(lack.begin(), lack.end(), true) - lack.begin());
  const bool is_one = std::count(lack.begin(), lack.end(), true) == 1;
  const bool all_processes = is_one && first == kProcess;
  if (unseen.count != 0) {
    unseen.why = all_processes ? "that no BPF program saw, or whose process is not known"
                               : "that no BPF program saw, or whose owner is not known";
  } else {
    unseen.why = is_one ? std::string("of ") + kWords[first] : "whose owner is not known";
  }
}

bool is_peer_reset(Metric metric) { return metric == Metric::kPeerResets || metric == Metric::kPeerResetsAvoidable; }

}  // namespace

Unseen unseen(const Asked& asked) {
  const Budget& budget = asked.budget;
  const Report& report = asked.report;
  Unseen unseen{0, 0, "that no BPF program saw"};
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
  add_unknown(unseen, asked);
  return unseen;
}

bool knows_peer_resets(const Report& report) {
  const auto missed_none = [](const NetnsReport& netns) { return netns.last.missed.resets_sent.value_or(0) == 0; };
  return report.info.probe.sees.resets_sent && report.lost.refused_full == 0 &&
         std::all_of(report.namespaces.begin(), report.namespaces.end(), missed_none);
}

}  // namespace twtrace::report
