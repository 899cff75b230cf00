// SPDX-License-Identifier: Apache-2.0
#include "report/missing.hpp"

#include <fmt/format.h>

#include <unordered_set>

namespace twtrace::report {
namespace {

using Why = model::Gap::Why;

/// Why the end of the capture is missing, or empty.
std::string missing_end(const Report& report) {
  if (report.read_error) return "the capture cannot be read to its end (" + *report.read_error + ")";
  if (report.info.ended_unix_ms) return {};
  if (report.info.running) return "the capture is still being written";
  return "the capture was cut: what happened after its last sample is missing";
}

const char* happened(Why why) {
  switch (why) {
    case Why::kNotSampled:
      return "twtrace took no sample";
    case Why::kSuspended:
      return "the host slept";
    case Why::kClockSet:
      return "the clock was set";
    case Why::kNotRead:
      return "the kernel's numbers could not be read";
  }
  return "";
}

/// The ids of the namespaces that a budget asks for.
using Ids = std::unordered_set<std::uint32_t>;

Ids ids_of(const Asked& asked) {
  Ids ids;
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    if (asked.namespaces[i]) ids.insert(asked.report.namespaces[i].last.id);
  }
  return ids;
}

/// All gaps of this kind as one, of these namespaces if there are any given; empty when there is none.
std::string gap_words(const Report& report, Why why, const Ids* namespaces = nullptr) {
  std::size_t count = 0;
  std::int64_t all_ms = 0;
  std::int64_t first_unix_ms = 0;
  for (const model::Gap& gap : report.info.gaps) {
    if (gap.why != why || (namespaces != nullptr && gap.netns_id && !namespaces->contains(*gap.netns_id))) continue;
    if (count++ == 0) first_unix_ms = gap.from_unix_ms;
    all_ms += gap.to_unix_ms - gap.from_unix_ms;
  }
  if (count == 0) return {};
  const double offset_s = static_cast<double>(first_unix_ms - report.begin_unix_ms) / 1000;
  const std::string times = count == 1 ? std::string() : fmt::format(" ({} times, the first", count);
  return fmt::format("the capture has a hole: {} for {:.1f} s{} at {:+.1f}s{}", happened(why),
                     static_cast<double>(all_ms) / 1000, times, offset_s, count == 1 ? "" : ")");
}

bool needs_gauges(Metric metric) { return metric == Metric::kInUsePeak || metric == Metric::kMissed; }

}  // namespace

std::string missing(const Report& report) {
  for (const auto& words :
       {missing_end(report), gap_words(report, Why::kNotSampled), gap_words(report, Why::kSuspended)}) {
    if (!words.empty()) return words;
  }
  return {};
}

std::string missing_for(const Asked& asked) {
  const Metric metric = asked.budget.metric;
  std::string words = missing(asked.report);
  if (words.empty() && needs_gauges(metric) && !asked.report.info.gaps.empty()) {
    const Ids namespaces = ids_of(asked);
    words = gap_words(asked.report, Why::kNotRead, &namespaces);
  }
  if (words.empty() && metric == Metric::kCreatedRatio) words = gap_words(asked.report, Why::kClockSet);
  return words;
}

}  // namespace twtrace::report
