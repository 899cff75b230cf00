// SPDX-License-Identifier: Apache-2.0
#include "report/missing.hpp"

#include <fmt/format.h>

#include <algorithm>
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

/// A capture around a command that never ran says nothing about it.
std::string missing_command(const Report& report) {
  if (!report.info.command || report.info.command->started_unix_ms) return {};
  return "the command was never started";
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

double offset_s(const Report& report, std::int64_t unix_ms) {
  return static_cast<double>(unix_ms - report.begin_unix_ms) / 1000;
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
  const std::string times = count == 1 ? std::string() : fmt::format(" ({} times, the first", count);
  return fmt::format("the capture has a hole: {} for {:.1f} s{} at {:+.1f}s{}", happened(why),
                     static_cast<double>(all_ms) / 1000, times, offset_s(report, first_unix_ms), count == 1 ? "" : ")");
}

/// The one namespace that a budget asks for; null if it asks for none, for all, or for several.
const NetnsReport* only_namespace(const Asked& asked) {
  if (!asked.budget.selector.asks(view::Key::kNetns)) return nullptr;
  const NetnsReport* only = nullptr;
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    if (!asked.namespaces[i]) continue;
    if (only != nullptr) return nullptr;
    only = &asked.report.namespaces[i];
  }
  return only;
}

/// A command that makes a namespace again, as a restart of a container does, leaves the one that the budget asks for.
std::string successor_words(const Asked& asked) {
  const Report& report = asked.report;
  const NetnsReport* const netns = only_namespace(asked);
  if (netns == nullptr || !netns->gone_unix_ms || netns->last.name.empty()) return {};
  const auto words = [&](std::uint32_t id) {
    return fmt::format("netns {} ended at {:+.1f}s, and id:{} had its name after it", netns->last.name,
                       offset_s(report, *netns->gone_unix_ms), id);
  };
  const auto follows = [&](std::uint32_t id, const std::string& name) {
    return id > netns->last.id && name == netns->last.name;
  };
  for (const model::NetnsName& known : report.info.namespaces) {
    if (follows(known.id, known.name)) return words(known.id);
  }
  for (const NetnsReport& known : report.namespaces) {
    if (follows(known.last.id, known.last.name)) return words(known.last.id);
  }
  return {};
}

bool needs_gauges(Metric metric) { return metric == Metric::kInUsePeak || metric == Metric::kMissed; }

}  // namespace

std::string missing(const Report& report) {
  for (const auto& words : {missing_end(report), missing_command(report), gap_words(report, Why::kNotSampled),
                            gap_words(report, Why::kSuspended)}) {
    if (!words.empty()) return words;
  }
  return {};
}

std::string clock_words(const Report& report) {
  const auto is_set = [](const model::Gap& gap) { return gap.why == Why::kClockSet; };
  if (std::none_of(report.info.gaps.begin(), report.info.gaps.end(), is_set)) return {};
  return fmt::format("the clock was set during the capture: its {} may be wrong, its counts are not",
                     report.info.command ? "times and phases" : "times");
}

std::string missing_for(const Asked& asked) {
  const Metric metric = asked.budget.metric;
  std::string words = missing(asked.report);
  if (words.empty() && needs_gauges(metric) && !asked.report.info.gaps.empty()) {
    const Ids namespaces = ids_of(asked);
    words = gap_words(asked.report, Why::kNotRead, &namespaces);
  }
  if (words.empty() && metric == Metric::kCreatedRatio) words = clock_words(asked.report);
  return words.empty() ? successor_words(asked) : words;
}

}  // namespace twtrace::report
