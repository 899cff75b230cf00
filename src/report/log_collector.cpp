// SPDX-License-Identifier: Apache-2.0
#include "report/log_collector.hpp"

#include <numeric>

#include "report/timeline.hpp"

namespace twtrace::report {
namespace {

LogPoint merged_logs(const LogPoint& first, const LogPoint& second) {
  return {first.begin_unix_ms, second.end_unix_ms, first.lines + second.lines, first.resets + second.resets,
          first.avoidable + second.avoidable};
}

}  // namespace

std::uint64_t sum(const LinesBeside& lines) { return std::accumulate(lines.begin(), lines.end(), std::uint64_t{0}); }

LogCollector::LogCollector(const model::CaptureInfo& info) {
  report_.resets_known = info.probe.sees.resets_received && info.probe.sees.resets_sent;
  for (const model::Log& log : info.logs) report_.logs.push_back({log, {}, 0});
}

void LogCollector::add(const model::Snapshot& head, std::int64_t begin_unix_ms, const model::Counters& counts) {
  if (report_.logs.empty()) return;
  LogPoint point{begin_unix_ms, head.time_unix_ms, 0, counts.resets_received + counts.resets_sent(),
                 counts.peer_resets_avoidable};
  const Beside beside = point.avoidable != 0 ? Beside::kAvoidable
                        : point.resets != 0  ? Beside::kReset
                                             : Beside::kNothing;
  if (head.log_lines != nullptr) {
    for (const model::LogLine& line : *head.log_lines) {
      add_line(line, report_.resets_known ? beside : Beside::kNothing);
      point.lines += line.lines;
    }
  }
  report_.timeline.push_back(point);
  if (report_.timeline.size() > kMaxTimelinePoints) halve(report_.timeline, merged_logs);
}

void LogCollector::add_line(const model::LogLine& line, Beside beside) {
  const auto place = static_cast<std::size_t>(beside);
  LogReport& log = report_.logs[line.log];
  log.lines.at(place) += line.lines;
  report_.lines.at(place) += line.lines;
  if (!line.text) {
    log.without_text += line.lines;
  } else if (auto& first = report_.first.at(place); !first) {
    first = {line.log, line.time_unix_ms, *line.text};
  }
}

}  // namespace twtrace::report
