// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "report/collector.hpp"
#include "report/findings.hpp"
#include "report/owners.hpp"
#include "report/verdict.hpp"

namespace twtrace::report {
namespace {

/// The rows at the end of each phase: which samples these are is known only when all have been seen.
void collect_owners(model::Recording& recording, const std::vector<std::optional<std::uint64_t>>& last_samples,
                    Report& report) {
  OwnerCollector owners(report.phases.size());
  std::uint64_t sample = 0;
  // An error here is the one of the first pass again.
  static_cast<void>(recording.for_each([&](const model::SnapshotPtr&, const model::Source& source) {
    const auto phase = std::find(last_samples.begin(), last_samples.end(), sample);
    ++sample;
    if (phase == last_samples.end()) return;
    owners.add(source, static_cast<std::size_t>(phase - last_samples.begin()), sample == report.samples);
  }));
  std::move(owners).finish(report);
}

}  // namespace

base::Result<Report> build_report(model::Recording& recording, const std::vector<Budget>& budgets) {
  Collector collector(recording.info());
  std::uint64_t samples = 0;
  const auto read = recording.for_each([&](const model::SnapshotPtr& head, const model::Source&) {
    collector.add(*head);
    ++samples;
  });
  if (!read && samples == 0) return tl::unexpected(read.error());
  const auto last_samples = collector.last_samples();
  Report report = std::move(collector).finish();
  if (!read) report.read_error = read.error().what;
  collect_owners(recording, last_samples, report);
  for (const Budget& budget : budgets) report.verdicts.push_back(judge(budget, report));
  report.findings = findings(report);
  return report;
}

bool breached(const Report& report) {
  return std::any_of(report.verdicts.begin(), report.verdicts.end(), [](const Verdict& v) { return v.fails(); });
}

const Phase* phase(const Report& report, PhaseKind kind) {
  for (const Phase& known : report.phases) {
    if (known.kind == kind) return &known;
  }
  return nullptr;
}

}  // namespace twtrace::report
