// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include <algorithm>

namespace twtrace::report {

bool breached(const Report& report) {
  return std::any_of(report.verdicts.begin(), report.verdicts.end(), [](const Verdict& v) { return v.fails(); });
}

std::uint64_t missed_created(const Report& report) {
  std::uint64_t missed = 0;
  for (const NetnsReport& netns : report.namespaces) missed += netns.last.missed.created.value_or(0);
  return missed;
}

std::uint64_t missed_refused(const Report& report) {
  std::uint64_t missed = 0;
  for (const NetnsReport& netns : report.namespaces) missed += netns.last.missed.overflow.value_or(0);
  return missed;
}

std::uint64_t all_refused(const Report& report) { return report.totals.refused() + missed_refused(report); }

std::uint64_t dropped_attempts(const Report& report) {
  std::uint64_t drops = 0;
  for (const NetnsReport& netns : report.namespaces) drops += netns.last.kernel.listen_drops.value_or(0);
  return drops;
}

bool troubled(const Report& report) {
  const bool critical = !report.findings.empty() && report.findings.front().severity == Severity::kCritical;
  return report.samples == 0 || critical || !report.troubles.empty() || all_refused(report) != 0;
}

const Phase* phase(const Report& report, PhaseKind kind) {
  for (const Phase& known : report.phases) {
    if (known.kind == kind) return &known;
  }
  return nullptr;
}

const char* to_string(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::kBefore:
      return "before";
    case PhaseKind::kDuring:
      return "during";
    case PhaseKind::kAfter:
      return "after";
    case PhaseKind::kWhole:
      return "capture";
  }
  return "";
}

const char* to_string(Verdict::State state) {
  switch (state) {
    case Verdict::State::kKept:
      return "kept";
    case Verdict::State::kBreached:
      return "breached";
    case Verdict::State::kNotMeasurable:
      return "not measurable";
  }
  return "";
}

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kWarning:
      return "warning";
    case Severity::kNotice:
      return "notice";
  }
  return "";
}

}  // namespace twtrace::report
