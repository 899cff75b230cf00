// SPDX-License-Identifier: Apache-2.0
// Puts the lines of logs beside the resets of their intervals. Private to this folder.
#pragma once

#include "model/counters.hpp"
#include "model/recording.hpp"
#include "report/logs.hpp"

namespace twtrace::report {

/// Takes intervals in order. Its memory does not depend on how many there are. Not thread-safe.
class LogCollector {
 public:
  explicit LogCollector(const model::CaptureInfo& info);

  /// `counts`: what was counted in the interval, in all namespaces of the report.
  void add(const model::Snapshot& head, std::int64_t begin_unix_ms, const model::Counters& counts);
  LogsReport finish() && { return std::move(report_); }

 private:
  void add_line(const model::LogLine& line, Beside beside);

  LogsReport report_;
};

}  // namespace twtrace::report
