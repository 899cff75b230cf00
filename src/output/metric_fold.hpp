// SPDX-License-Identifier: Apache-2.0
// Folds rows into the series of a metrics exporter: few, stable, and never falling.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "output/range_ports.hpp"
#include "view/selector.hpp"

namespace twtrace::output {

/// The label of what is folded, for namespaces and for workloads.
inline constexpr const char* kFolded = "other";

/// Which network namespaces get a label of their own. The others are folded into "other".
enum class MetricNamespaces {
  kHost,   ///< the host's
  kNamed,  ///< the host's and those with a name
  kAll,    ///< these, and those of containers, named after the container or pod
};

/// What gets a series of its own.
struct MetricLimits {
  MetricNamespaces namespaces = MetricNamespaces::kAll;
  std::size_t max_series = 2000;  ///< with a namespace label, besides those of "host" and of "other"
  /// Younger workloads and namespaces are folded. A workload is as old as its oldest process, if its start is known.
  double min_age_s = 30;
};

/// What tells workloads of a namespace apart. Label texts, as label_text() makes them.
struct WorkloadLabels {
  std::string workload;  ///< the service's name; without a service the process's
  std::string kind;      ///< base::Service::kind
  std::string comm;
  std::string role;  ///< "server", "client" or empty
  std::string port;  ///< of the service; empty: many
  auto operator<=>(const WorkloadLabels&) const = default;
};

/// The numbers of one series of labels.
struct WorkloadMetrics {
  model::Counters counts;
  std::optional<std::uint64_t> live;  ///< empty: not measured
  std::uint64_t since = 0;            ///< the observation in which the series was made
};

/// One namespace label. Counters are sums over all namespaces that had the label, for the time they had it.
struct NamespaceMetrics {
  std::optional<std::uint64_t> in_use;
  std::optional<std::uint64_t> limit;  ///< empty for "other": limits of several namespaces do not add up
  std::optional<double> ports_taken;   ///< share of the ephemeral ports that the fullest destination takes
  model::Counters counts;              ///< of the whole namespace
  model::KernelCounts kernel;
  model::MissedCounts missed;
  std::map<WorkloadLabels, WorkloadMetrics> workloads;  ///< "other" is always there
};

/// A name as a label value: valid UTF-8, at most 400 columns. Invisible characters and bytes that are not UTF-8 are
/// visible escapes, except the newline, which every metrics format escapes by itself.
std::string label_text(std::string_view name);

/// Folds one snapshot after another. What is counted in an interval goes to the series that its workload has then: its
/// own, or "other". So every series only grows, the sum over the workloads of a namespace is the namespace's count, and
/// a series that begins late begins at 0. A workload keeps its series for good; once there are `max_series`, new
/// workloads and namespaces stay folded. One whose processes have all ended gets none unless it counts again. Ports
/// that may be ephemeral are not told apart, see RangePorts. Not thread-safe.
class MetricFold {
 public:
  explicit MetricFold(const MetricLimits& limits);
  MetricFold(const MetricFold&) = delete;
  MetricFold& operator=(const MetricFold&) = delete;
  ~MetricFold() = default;

  /// Takes the next sample. Call it for every sample of a trace, because a source has only the counts of two. Rows that
  /// `shown` does not accept are left out.
  void observe(model::Snapshot head, const model::Source& source, const view::Selector& shown = {});

  /// By label.
  const std::map<std::string, NamespaceMetrics>& namespaces() const { return namespaces_; }
  /// The picture of the last sample, without rows. Null before the first.
  const model::SnapshotPtr& head() const { return head_; }
  /// How many samples were observed.
  std::uint64_t samples() const { return observations_; }
  /// True once something is folded because there are `max_series`.
  bool is_full() const { return full_; }

 private:
  /// A namespace of the trace.
  struct Place {
    double first_seen_s = 0;
    NamespaceMetrics* into = nullptr;
    NamespaceMetrics* next = nullptr;  ///< from the next sample on
    model::Counters counts;            ///< at the last sample, without what was moved there
    model::Counters unattributed;
    model::KernelCounts kernel;
    model::MissedCounts missed;  ///< the most so far
    std::string container;       ///< of the first row of a container in it
    model::PortRange local_ports = kUsualLocalPorts;
  };
  /// All rows of the same labels in a namespace.
  struct Workload {
    double first_seen_s = 0;            ///< or when its oldest process started
    WorkloadMetrics* series = nullptr;  ///< null: folded
    RangePorts ports;                   ///< that its rows have in the namespace's local ports
    std::uint64_t seen = 0;             ///< observation
  };
  using Workloads = std::map<std::pair<const NamespaceMetrics*, WorkloadLabels>, Workload>;
  /// A row of the trace.
  struct Known {
    double first_seen_s = 0;                ///< or when its process started
    const NamespaceMetrics* in = nullptr;   ///< where `into` is
    Workloads::value_type* into = nullptr;  ///< not owned
    Workloads::value_type* many = nullptr;  ///< not owned; the same without its port, if that may be ephemeral
    std::uint64_t seen = 0;                 ///< observation
  };

  NamespaceMetrics& labelled(const std::string& label);
  bool admit(std::size_t series);
  double age_s(const model::Identity& who) const;
  bool is_old_since(double first_seen_s) const { return now_s_ - first_seen_s >= limits_.min_age_s; }
  std::string label_of(const model::NetnsRow& netns, const Place& place) const;
  void place(const model::NetnsRow& netns, Place& place);
  void take_namespaces(const model::Snapshot& head, bool with_unattributed);
  void take_namespace(const model::NetnsRow& netns, Place& place);
  WorkloadMetrics& countable(WorkloadMetrics& series, NamespaceMetrics& netns) const;
  void take_ports(const model::Snapshot& head);
  NamespaceMetrics& namespace_of(std::uint32_t id);
  void take_fact(const model::Fact& fact);
  void take_unattributed(const model::NetnsRow& netns, Place& place);
  WorkloadMetrics& series_of(const model::Fact& fact, NamespaceMetrics& netns, bool counts);
  Known& known(const model::Fact& fact);
  void find_workload(Known& known, const model::Identity& who, NamespaceMetrics& netns);
  Workloads::value_type& workload(WorkloadLabels labels, NamespaceMetrics& netns, double first_seen_s);
  void forget_unseen(const model::Snapshot& head);

  MetricLimits limits_;
  std::map<std::string, NamespaceMetrics> namespaces_;
  std::map<std::uint32_t, Place> places_;           ///< by NetnsRow::id
  std::unordered_map<std::uint64_t, Known> known_;  ///< by Row::id
  Workloads workloads_;
  model::SnapshotPtr head_;
  double now_s_ = 0;
  std::uint64_t boottime_ns_ = 0;  ///< Snapshot::boottime_ns
  std::uint64_t observations_ = 0;
  std::size_t series_ = 0;
  bool full_ = false;
};

}  // namespace twtrace::output
