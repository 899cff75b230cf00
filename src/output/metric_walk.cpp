// SPDX-License-Identifier: Apache-2.0
#include "output/metric_walk.hpp"

#include <span>
#include <string_view>
#include <vector>

#include "output/metric_families.hpp"

namespace twtrace::output {
namespace {

using Type = Metric::Type;

constexpr Metric kBuckets{"twtrace_time_wait_buckets", Type::kGauge, "",
                          "Buckets in the TIME_WAIT table now, as the kernel counts them."};
constexpr Metric kLimit{"twtrace_time_wait_buckets_limit", Type::kGauge, "",
                        "Most buckets that the kernel allows (net.ipv4.tcp_max_tw_buckets)."};
constexpr Metric kLive{"twtrace_time_wait_live", Type::kGauge, "",
                       "Buckets of the owner that exist now. Sums to the buckets made since twtrace started."};
constexpr Metric kRemoved{"twtrace_time_wait_removed", Type::kCounter, "",
                          "Buckets removed: expired by the timer, reused by connect() (TcpExtTWRecycled), recycled by "
                          "an incoming SYN, or purged by anything else."};
constexpr Metric kPortsTaken{"twtrace_ephemeral_ports_taken_ratio", Type::kGauge, "ratio",
                             "Share of the ephemeral ports that are taken towards the fullest destination, 0 to 1."};
constexpr Metric kMissed{"twtrace_missed", Type::kCounter, "",
                         "What the kernel counted and no program of twtrace saw: buckets created or refused, resets "
                         "sent, drops of listening sockets."};
constexpr Metric kSamples{"twtrace_samples", Type::kCounter, "",
                          "Samples that twtrace took. Every other number here is of the last one."};
constexpr Metric kBuild{"twtrace_build_info", Type::kGauge, "", "Version of twtrace, and how it traces."};
constexpr Metric kBpfRun{"twtrace_bpf_run_seconds", Type::kCounter, "seconds",
                         "Run time of the BPF programs of twtrace, while kernel.bpf_stats_enabled is on."};
constexpr Metric kCpu{"process_cpu_seconds", Type::kCounter, "seconds", "User and system CPU time of twtrace."};
constexpr Metric kResident{"process_resident_memory_bytes", Type::kGauge, "bytes", "Resident memory of twtrace."};
constexpr Metric kOpenFds{"process_open_fds", Type::kGauge, "", "Open file descriptors of twtrace."};
constexpr Metric kMaxFds{"process_max_fds", Type::kGauge, "", "Most file descriptors that twtrace may open."};
constexpr Metric kStartTime{"process_start_time_seconds", Type::kGauge, "seconds",
                            "When twtrace started, in seconds since the Unix epoch."};

/// Calls a form for one metric after another. A metric without a sample is left out.
class MetricWalk {
 public:
  MetricWalk(const MetricFold& fold, MetricForm& form) : fold_(fold), form_(form) {
    for (const auto& [name, netns] : fold_.namespaces()) {
      for (const auto& [who, workload] : netns.workloads) workloads_.push_back({labels_of(name, who), &workload});
    }
  }

  /// Begins a metric. Writes nothing until it has a sample.
  void begin(const Metric& metric) {
    metric_ = &metric;
    is_headed_ = false;
  }

  /// `more`: further labels, as labels() makes them.
  void sample(std::string labels, MetricNumber value, std::string_view more = {}) {
    if (!is_headed_) form_.begin(*metric_);
    is_headed_ = true;
    if (!more.empty()) labels.append(labels.empty() ? "" : ",").append(more);
    form_.sample(*metric_, labels, value);
  }

  void gauge(const Metric& metric, MetricNumber value) {
    begin(metric);
    sample("", value);
  }

  /// One sample for each namespace of which `value_of` knows something.
  template <class ValueOf>
  void of_namespaces(ValueOf value_of, std::span<const MetricLabel> more_labels = {}) {
    const std::string more = labels(more_labels);
    for (const auto& [name, netns] : fold_.namespaces()) {
      const auto value = value_of(netns);
      if (value) sample(form_.label("netns", name), *value, more);
    }
  }

  /// The same for each workload.
  template <class ValueOf>
  void of_workloads(ValueOf value_of, std::span<const MetricLabel> more_labels = {}) {
    const std::string more = labels(more_labels);
    for (const auto& [own, workload] : workloads_) {
      if (const auto value = value_of(*workload)) sample(own, *value, more);
    }
  }

  /// Several labels, joined. Those without a name are left out.
  std::string labels(std::span<const MetricLabel> all) const {
    std::string text;
    for (const auto& [name, value] : all) {
      if (!name.empty()) text += (text.empty() ? "" : ",") + form_.label(name, value);
    }
    return text;
  }

 private:
  std::string labels_of(const std::string& netns, const WorkloadLabels& of) const {
    return labels(std::array<MetricLabel, 6>{{{"netns", netns},
                                              {"workload", of.workload},
                                              {"workload_kind", of.kind},
                                              {"comm", of.comm},
                                              {"role", of.role},
                                              {"port", of.port}}});
  }

  /// The labels are made once, because every workload has several series.
  struct LabelledWorkload {
    std::string labels;
    const WorkloadMetrics* workload;
  };

  const MetricFold& fold_;
  MetricForm& form_;
  std::vector<LabelledWorkload> workloads_;
  const Metric* metric_ = nullptr;
  bool is_headed_ = false;
};

void put_workloads(MetricWalk& out, const model::Sight& sees) {
  std::string_view name;
  for (const WorkloadCount& count : kWorkloadCounts) {
    if (!count.is_known(sees)) continue;
    if (count.metric.name != name) out.begin(count.metric);
    name = count.metric.name;
    out.of_workloads([&](const WorkloadMetrics& of) { return std::optional(count.of(of.counts)); }, count.labels);
  }
  out.begin(kLive);
  out.of_workloads([](const WorkloadMetrics& of) { return of.live; });
}

void put_removed(MetricWalk& out, const model::Snapshot& head) {
  if (!head.probe.sees.removal) return;
  out.begin(kRemoved);
  for (const RemovedCount& removed : kRemovedCounts) {
    out.of_namespaces([&](const NamespaceMetrics& of) { return std::optional(of.counts.*removed.count); },
                      std::array<MetricLabel, 1>{{{"how", removed.how}}});
  }
}

void put_namespaces(MetricWalk& out, const model::Snapshot& head) {
  out.begin(kBuckets);
  out.of_namespaces([](const NamespaceMetrics& of) { return of.in_use; });
  out.begin(kLimit);
  out.of_namespaces([](const NamespaceMetrics& of) { return of.limit; });
  out.begin(kPortsTaken);
  out.of_namespaces([](const NamespaceMetrics& of) { return of.ports_taken; });
  put_removed(out, head);
  for (const KernelMetric& kernel : kKernelMetrics) {
    out.begin(kernel.metric);
    out.of_namespaces([&](const NamespaceMetrics& of) { return of.kernel.*kernel.count; });
  }
  out.begin(kMissed);
  for (const MissedCount& missed : kMissedMetrics) {
    out.of_namespaces([&](const NamespaceMetrics& of) { return of.missed.*missed.count; },
                      std::array<MetricLabel, 1>{{{"what", missed.what}}});
  }
}

void put_process(MetricWalk& out, const ProcessMetrics& process) {
  out.gauge(kCpu, process.cpu_seconds);
  out.gauge(kResident, process.resident_bytes);
  out.gauge(kOpenFds, process.open_fds);
  out.gauge(kMaxFds, process.max_fds);
  out.gauge(kStartTime, process.start_time_s);
}

}  // namespace

void walk_metrics(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                  MetricForm& form) {
  const model::SnapshotPtr& head = fold.head();
  if (!head) return;
  MetricWalk out(fold, form);
  put_namespaces(out, *head);
  put_workloads(out, head->probe.sees);
  out.begin(kBuild);
  const std::string backend = label_text(head->probe.backend);
  const std::array<MetricLabel, 3> version = {
      {{"version", build.version}, {"commit", build.commit}, {"backend", backend}}};
  out.sample(out.labels(version), std::uint64_t{1});
  out.gauge(kSamples, fold.samples());
  out.begin(kBpfRun);
  for (const auto& [program, run_ns] : head->cost.bpf_run_ns_of) {
    out.sample(form.label("program", program), static_cast<double>(run_ns) * 1e-9);
  }
  if (process) put_process(out, *process);
}

}  // namespace twtrace::output
