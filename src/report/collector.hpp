// SPDX-License-Identifier: Apache-2.0
// One pass over the samples of a recording. Private to this folder.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "report/log_collector.hpp"
#include "report/report.hpp"

namespace twtrace::report {

/// Which phase of the capture an interval belongs to; an index into phase_kinds(). `begin` and `end` in Unix
/// milliseconds.
std::size_t phase_of(std::int64_t begin, std::int64_t end, const model::CaptureInfo& info);
/// The phases of the capture, in order.
std::vector<PhaseKind> phase_kinds(const model::CaptureInfo& info);

/// Takes the samples in order and keeps what the report needs. Its memory depends on the number of namespaces and
/// destinations, not on the length of the capture. A head may leave out the namespaces in which nothing changed, so the
/// work of a sample is that of what happened in it.
class Collector {
 public:
  /// `netns` chooses the namespaces.
  Collector(const model::CaptureInfo& info, view::Selector netns);

  void add(const model::Snapshot& head);

  /// The number (from 0 on) of the last sample of each phase; empty for phases without one.
  const std::vector<std::optional<std::uint64_t>>& last_samples() const { return last_samples_; }
  /// Everything except rows, verdicts and findings.
  Report finish() &&;

 private:
  using NetnsKey = std::pair<std::uint32_t, std::uint32_t>;  ///< NetnsRow::id and inode number
  using PortKey = std::tuple<std::optional<std::uint32_t>, std::uint32_t, model::Peer>;
  struct Interval {
    std::int64_t begin_unix_ms = 0;
    std::int64_t end_unix_ms = 0;
    double seconds = 0;
    std::size_t phase = 0;
  };
  struct QueueHash {
    std::size_t operator()(const model::ListenQueue* queue) const;
  };
  struct SameQueue {
    bool operator()(const model::ListenQueue* left, const model::ListenQueue* right) const {
      return is_same(*left, *right);
    }
  };
  struct Arrivals {
    double begin_s = 0;  ///< of the interval, in seconds of the capture
    double end_s = 0;
    std::uint64_t count = 0;
  };
  struct NetnsCourse {
    NetnsReport report;
    model::Counters seen;                ///< at the last change
    std::vector<std::uint64_t> samples;  ///< of each phase, that the report covers
    std::optional<double> begin_s;       ///< of its first interval
    std::uint64_t older = 0;             ///< buckets that were there then
    std::vector<Arrivals> arrivals;      ///< of the last kBucketLifetimeS, from `first_arrival` on
    std::size_t first_arrival = 0;
    std::uint64_t arrivals_sum = 0;
    std::size_t first_latest = 0;  ///< in `arrivals`: of those of the last kForecastRateS
    std::uint64_t latest_sum = 0;
    std::uint64_t block = 0;                    ///< number of the last one with a change
    std::uint64_t created_in_block = 0;         ///< in that one
    std::uint64_t block_before = 0;             ///< number of the last one before that
    std::uint64_t created_in_block_before = 0;  ///< in that one
    std::uint64_t most_in_block = 0;            ///< of one interval of `block`
    std::size_t block_phase = 0;                ///< of that interval
  };
  /// Intervals in a row, as many as it takes to be about as long as an interval is meant to be. An interval that ended
  /// early, because the command started or ended then, is too short for a rate.
  struct Block {
    std::uint64_t number = 1;  ///< from 1 on
    double seconds = 0;
    double seconds_before = 0;          ///< of the block before
    std::vector<NetnsCourse*> courses;  ///< those with a change in it
  };

  Interval interval_of(const model::Snapshot& head) const;
  bool is_chosen(const model::NetnsRow& row);
  NetnsCourse& course_of(const model::NetnsRow& row);
  void add_netns(const model::NetnsRow& row, const Interval& interval);
  void carry_on(NetnsCourse& course, std::int64_t until_unix_ms) const;
  void add_arrivals(NetnsCourse& course, const Interval& interval, const model::Counters& amount) const;
  void add_to_block(NetnsCourse& course, const Interval& interval, std::uint64_t created);
  double shortest_for_rates() const;
  void end_interval(double seconds);
  void end_last_block();
  void add_ports(const model::Snapshot& head);
  void add_queues(const model::Snapshot& head);
  void attach_settings();

  view::Selector selector_;
  std::map<NetnsKey, bool> chosen_;  ///< whether the selector takes it
  Report report_;
  LogCollector logs_;
  model::Counters in_interval_;  ///< of all namespaces, in the interval at hand
  std::map<NetnsKey, NetnsCourse> netns_;
  Block block_;
  std::vector<std::uint64_t> phase_samples_;  ///< as Report::phases
  std::uint64_t in_use_ = 0;                  ///< sum over namespaces
  std::size_t in_use_known_ = 0;              ///< namespaces that it is a sum of
  std::map<PortKey, PortPeak> ports_;         ///< pools, too
  std::shared_ptr<const std::vector<model::PortUse>> seen_ports_;
  std::deque<model::ListenQueue> queues_;
  std::unordered_map<const model::ListenQueue*, model::ListenQueue*, QueueHash, SameQueue> queue_of_;  ///< of these
  std::shared_ptr<const std::vector<model::ListenQueue>> seen_queues_;
  std::vector<std::optional<std::uint64_t>> last_samples_;
  double cpu_seconds_ = 0;
};

}  // namespace twtrace::report
