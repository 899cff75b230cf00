// SPDX-License-Identifier: Apache-2.0
// One pass over the samples of a recording. Private to this folder.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// Which phase of the capture an interval belongs to; an index into phase_kinds(). `begin` and `end` in Unix
/// milliseconds.
std::size_t phase_of(std::int64_t begin, std::int64_t end, const model::CaptureInfo& info);
std::vector<PhaseKind> phase_kinds(const model::CaptureInfo& info);

/// Takes the samples in their order and keeps what the report needs of them: memory depends on the number of
/// namespaces and destinations, not on the length of the capture.
class Collector {
 public:
  explicit Collector(const model::CaptureInfo& info);

  void add(const model::Snapshot& head);

  /// Numbers, from 0 on, of the sample that each phase ended with; empty for phases without one.
  const std::vector<std::optional<std::uint64_t>>& last_samples() const { return last_samples_; }
  /// Everything but what comes from rows, verdicts and findings.
  Report finish() &&;

 private:
  struct Interval {
    std::int64_t begin_unix_ms = 0;
    std::int64_t end_unix_ms = 0;
    double seconds = 0;
    std::size_t phase = 0;
  };
  struct Arrivals {
    double seconds = 0;
    std::uint64_t count = 0;
  };
  struct NetnsCourse {
    NetnsReport report;
    model::Counters seen;           ///< at the last sample
    std::deque<Arrivals> arrivals;  ///< of the last kForecastRateS
  };

  Interval interval_of(const model::Snapshot& head) const;
  void add_netns(const model::NetnsRow& row, const Interval& interval);
  void add_ports(const model::Snapshot& head);
  void attach_settings();

  Report report_;
  std::map<std::uint32_t, NetnsCourse> netns_;  ///< by inode number
  std::map<std::pair<std::uint32_t, model::Peer>, PortPeak> ports_;
  std::vector<std::optional<std::uint64_t>> last_samples_;
  double cpu_seconds_ = 0;
};

}  // namespace twtrace::report
