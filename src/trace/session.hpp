// SPDX-License-Identifier: Apache-2.0
// A running trace: brings the BPF programs, the kernel's own numbers and the model together.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kernel/procfs.hpp"
#include "loader/tracer.hpp"
#include "model/history.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "trace/event_feed.hpp"
#include "trace/kernel_clock.hpp"
#include "trace/namespaces.hpp"
#include "trace/port_count.hpp"
#include "trace/queue_watch.hpp"
#include "trace/rows.hpp"
#include "trace/services.hpp"
#include "trace/slot_returns.hpp"
#include "trace/table_scan.hpp"
#include "trace/time_share.hpp"

namespace twtrace::trace {

/// What to do if the backend does not work that SessionOptions ask for.
inline constexpr const char* kWithoutProbe = "leave out --probe: twtrace then takes the best backend that works";

/// How to trace.
struct SessionOptions {
  std::optional<loader::Backend> backend;  ///< empty: the best one that works
  std::string btf_path;
  std::set<std::string> no_features;
  std::uint32_t ring_bytes = 4U << 20U;
  std::size_t max_rows = 10000;
  std::uint32_t namespaces = TW_MAX_NETNS;  ///< MapSizes::namespaces
  std::uint32_t cgroups = TW_MAX_CGROUPS;   ///< MapSizes::cgroups
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  /// CPU time of one sample that a scan of the tables may take. A count of ports may take as much. So a table of any
  /// size delays a sample by some 40 ms at most. The scan and the count of the last sample take their time.
  std::uint64_t scan_budget_ns = 20'000'000;
  std::uint64_t reader_run_ns = 500'000;  ///< ReaderOptions::run_ns
  std::uint32_t sweep_slice = 16384;      ///< TracerOptions::sweep_slice
  /// How often what is gone is given back between two samples, however long an interval is.
  std::uint64_t tending_ns = 1'000'000'000;
  bool name_helper = false;  ///< whether to start a NameHelper, so that no capability need be kept
  /// Namespaces whose counters are read from /proc in one sample, where there are more and the reader programs cannot
  /// run. The last sample reads them all.
  std::size_t netns_readings = 256;
};

/// Owns everything that a trace needs. Not thread-safe.
class Session {
 public:
  /// Loads, attaches, reads what is there already, and starts counting.
  static base::Result<Session> start(const SessionOptions& options);

  /// Events go here from now on; without a handler they are only used for the peer view. Of each drain the handler gets
  /// the `newest` at most: making an event readable costs more than counting it.
  void on_event(EventFeed::Handler handler, std::size_t newest = SIZE_MAX) {
    events_.on_event(std::move(handler), newest);
  }
  /// Keep counts per peer: costs a look-up per event.
  void record_peers(bool record) { events_.record_peers(record); }

  int ring_fd() const { return tracer_.ring_fd(); }

  /// Reads what is in the ring, up to a bound, and gives back what is not needed any more. Call it at least once a
  /// second, however long an interval is.
  base::Result<void> drain();

  /// Takes the numbers of an interval that ends now. The ephemeral ports in use are as old as PortCount allows. `last`
  /// asks for fresh numbers whatever they cost.
  base::Result<void> sample(bool last);
  /// Events lost so far because the ring was full; see model::Losses.
  std::uint64_t events_lost() const { return tracer_.stats().events_lost; }
  /// The picture of the last sample, without rows.
  model::Snapshot head() const;
  /// The tables of the last sample, valid during the call.
  void with_source(const std::function<void(const model::Source&)>& use) const;
  /// Settings of the namespaces whose slots are not in `known`, which gets them.
  std::vector<model::NetnsSettings> settings(std::set<std::uint32_t>& known) { return netns_.settings(known); }
  /// What runs on the host now, as /proc shows it: at most model::kMostSeenProcesses. Reads two files per process.
  std::vector<model::SeenProcess> processes() { return services_.processes(recorded_paths()); }
  /// Puts the last sample behind those that a history holds.
  void append_to(model::History& history) const;

  /// NetnsRow::id of the existing namespace that the user means; see NamespaceDirectory::resolve().
  base::Result<std::uint32_t> resolve_netns(const std::string& spec) const { return netns_.directory().resolve(spec); }

 private:
  Session(loader::Tracer tracer, const KernelClock& kernel_clock, Services services, Namespaces netns,
          const SessionOptions& options);

  void begin_refusals();
  void name_namespaces();
  void enable();
  void count_ports(bool last);
  base::Result<void> drain_ring();
  void tend();
  void scan(bool whole);
  void look_at_queues(bool is_sample);
  void report_drops(const std::vector<ListenQueues::RowDrops>& dropped);
  void settle_felt(bool last);
  void report_gone(const TableScan::Gone& gone);
  void set_namespace(model::Event& event, NamespaceDirectory::Id id) const;
  const LiveScan* live_scan() const;
  model::Sight sight() const;
  Rows::Names names();
  Rows::Facts row_facts();
  void read_before_start();
  void retire_ended_rows();
  void give_back();
  void give_back_namespaces(const std::set<std::uint32_t>& in_rows);
  std::uint32_t netns_id_at(std::uint32_t slot);
  Services::RecordedPath recorded_paths() const;
  EventFeed::Context event_context();
  std::uint64_t slept_ns() const;
  void measure_cost();

  base::SystemClock clock_;
  KernelClock kernel_clock_;
  kernel::Procfs procfs_;
  loader::Tracer tracer_;
  Services services_;
  Namespaces netns_;
  TableScan scan_;
  QueueWatch queues_;
  SlotReturns slot_returns_;
  Rows rows_;
  EventFeed events_;

  std::uint64_t started_ns_ = 0;  ///< CLOCK_MONOTONIC
  std::uint64_t sampled_ns_ = 0;  ///< CLOCK_MONOTONIC
  std::uint64_t tended_ns_ = 0;   ///< CLOCK_MONOTONIC
  std::uint64_t tending_ns_;      ///< SessionOptions::tending_ns
  double interval_s_ = 0;
  double suspended_s_ = 0;
  std::uint64_t slept_ns_ = 0;  ///< at the last sample
  std::int64_t sampled_unix_ms_ = 0;
  std::uint64_t sampled_boottime_ns_ = 0;  ///< the kernel's CLOCK_BOOTTIME
  PortCount port_count_;
  TimeShare felt_looks_{100};  ///< they look through the files of all processes
  model::Cost cost_;
  std::uint64_t cpu_ns_ = 0;
};

}  // namespace twtrace::trace
