// SPDX-License-Identifier: Apache-2.0
#include "output/log_parts.hpp"

#include <fmt/format.h>

#include "base/format.hpp"
#include "phrases/log_line.hpp"

namespace twtrace::output {
namespace {

using base::grouped;
using phrases::log_words;
using report::Beside;
using report::Report;

std::string lines_words(std::uint64_t lines) { return grouped(lines) + (lines == 1 ? " line" : " lines"); }

/// "second", or "interval of 10.0s".
std::string interval_words(const Report& report) {
  const double seconds = report.info.interval_s;
  return seconds == 1 ? "second" : "interval of " + base::duration(seconds);
}

std::string beside_words(const Report& report, Beside beside) {
  const std::string interval = interval_words(report);
  if (beside == Beside::kAvoidable) {
    return "in the same " + interval + " as a reset that a place in the table would have avoided";
  }
  if (beside == Beside::kReset) return "in the same " + interval + " as other resets";
  return report.logs.resets_known ? "without a reset in the same " + interval
                                  : "; resets cannot be seen here, so it is not known whether there were any";
}

std::string count_and_first(const Report& report, Beside beside) {
  const auto place = static_cast<std::size_t>(beside);
  const std::string where = beside_words(report, beside);
  std::string words = lines_words(report.logs.lines.at(place)) + (where.front() == ';' ? "" : " ") + where;
  if (const auto& first = report.logs.first.at(place)) {
    words += fmt::format("; the first: {} {}: {}", offset_words(report, first->time_unix_ms),
                         log_words(report.logs.logs[first->log].log), first->text);
  }
  return words;
}

std::string log_line_words(const report::LogReport& part) {
  const model::LogGaps& gaps = part.log.gaps;
  std::string words =
      fmt::format("{}: {} matched \"{}\"", log_words(part.log), lines_words(report::sum(part.lines)), part.log.pattern);
  if (part.without_text != 0) words += fmt::format("; {} without their text", grouped(part.without_text));
  if (gaps.long_lines != 0) {
    words += fmt::format("; {} too long, so only the first 4,096 bytes were compared", lines_words(gaps.long_lines));
  }
  if (gaps.skipped_bytes != 0) {
    words += fmt::format("; {} not read, because it grew too fast", base::bytes(gaps.skipped_bytes));
  }
  return words + (gaps.problem.empty() ? "" : "; " + gaps.problem);
}

}  // namespace

std::vector<Property> log_properties(const Report& report) {
  const report::LogsReport& logs = report.logs;
  if (logs.logs.empty()) return {};
  std::vector<Property> facts;
  if (logs.resets_known) {
    facts.push_back({"avoidable", count_and_first(report, Beside::kAvoidable)});
    facts.push_back({"reset", count_and_first(report, Beside::kReset)});
  }
  facts.push_back({logs.resets_known ? "neither" : "lines", count_and_first(report, Beside::kNothing)});
  for (const report::LogReport& log : logs.logs) {
    facts.push_back({&log == logs.logs.data() ? "logs" : "", log_line_words(log)});
  }
  facts.push_back({"time",
                   "the time of a line is when twtrace read it; sharing an interval with a reset does not show "
                   "that the reset caused it"});
  return facts;
}

}  // namespace twtrace::output
