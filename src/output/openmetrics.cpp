// SPDX-License-Identifier: Apache-2.0
#include "output/openmetrics.hpp"

#include <fmt/format.h>

#include <iterator>
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
                         "Buckets that the kernel counted and no program of twtrace saw."};
constexpr Metric kBuild{"twtrace_build_info", Type::kGauge, "", "Version of twtrace, and how it traces."};
constexpr Metric kBpfRun{"twtrace_bpf_run_seconds", Type::kCounter, "seconds",
                         "Run time of the BPF programs of twtrace, while kernel.bpf_stats_enabled is on."};
constexpr Metric kCpu{"process_cpu_seconds", Type::kCounter, "seconds", "User and system CPU time of twtrace."};
constexpr Metric kResident{"process_resident_memory_bytes", Type::kGauge, "bytes", "Resident memory of twtrace."};
constexpr Metric kOpenFds{"process_open_fds", Type::kGauge, "", "Open file descriptors of twtrace."};
constexpr Metric kMaxFds{"process_max_fds", Type::kGauge, "", "Most file descriptors that twtrace may open."};
constexpr Metric kStartTime{"process_start_time_seconds", Type::kGauge, "seconds",
                            "When twtrace started, in seconds since the Unix epoch."};

std::string_view suffix_of(Type type) { return type == Type::kCounter ? "_total" : ""; }
std::string_view type_name(Type type) { return type == Type::kCounter ? "counter" : "gauge"; }

/// `name="value"`
std::string label(std::string_view name, std::string_view value) {
  std::string text = fmt::format("{}=\"", name);
  for (const char byte : value) {
    if (byte == '\n') {
      text += "\\n";
      continue;
    }
    if (byte == '"' || byte == '\\') text += '\\';
    text += byte;
  }
  return text += '"';
}

/// The labels of one series, joined and escaped.
std::string workload_labels(const std::string& netns, const WorkloadLabels& of) {
  return fmt::format("{},{},{},{},{},{}", label("netns", netns), label("workload", of.workload),
                     label("workload_kind", of.kind), label("comm", of.comm), label("role", of.role),
                     label("port", of.port));
}

class MetricWriter {
 public:
  MetricWriter(const MetricFold& fold, MetricFormat format) : fold_(fold), format_(format) {
    for (const auto& [name, netns] : fold_.namespaces()) {
      for (const auto& [who, workload] : netns.workloads) workloads_.push_back({workload_labels(name, who), &workload});
    }
  }

  /// Begins a metric. Writes nothing until it has a sample.
  void begin(const Metric& metric) {
    metric_ = &metric;
    is_headed_ = false;
  }

  template <class Number>
  void sample(std::string_view labels, Number value, std::string_view more_labels = {}) {
    if (!is_headed_) head();
    text_.append(metric_->name).append(suffix_of(metric_->type));
    if (!labels.empty()) {
      text_.append("{").append(labels).append(more_labels.empty() ? "" : ",").append(more_labels).append("}");
    }
    fmt::format_to(std::back_inserter(text_), " {}\n", value);
  }

  template <class Number>
  void gauge(const Metric& metric, Number value) {
    begin(metric);
    sample("", value);
  }

  /// One sample for each namespace of which `value_of` knows something.
  template <class ValueOf>
  void of_namespaces(ValueOf value_of, std::string_view more_labels = {}) {
    for (const auto& [name, netns] : fold_.namespaces()) {
      const auto value = value_of(netns);
      if (value) sample(label("netns", name), *value, more_labels);
    }
  }

  /// The same for each workload.
  template <class ValueOf>
  void of_workloads(ValueOf value_of, std::string_view more_labels = {}) {
    for (const auto& [labels, workload] : workloads_) {
      if (const auto value = value_of(*workload)) sample(labels, *value, more_labels);
    }
  }

  std::string finish() {
    if (format_ == MetricFormat::kOpenMetrics) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  /// OpenMetrics names the metric, the text format its samples.
  void head() {
    is_headed_ = true;
    const bool is_open = format_ == MetricFormat::kOpenMetrics;
    const std::string name = fmt::format("{}{}", metric_->name, is_open ? "" : suffix_of(metric_->type));
    const auto out = std::back_inserter(text_);
    fmt::format_to(out, "# HELP {} {}\n", name, metric_->help);
    fmt::format_to(out, "# TYPE {} {}\n", name, type_name(metric_->type));
    if (is_open && !metric_->unit.empty()) fmt::format_to(out, "# UNIT {} {}\n", name, metric_->unit);
  }

  /// The labels are made once, because every workload has several series.
  struct LabelledWorkload {
    std::string labels;
    const WorkloadMetrics* workload;
  };

  const MetricFold& fold_;
  MetricFormat format_;
  std::vector<LabelledWorkload> workloads_;
  const Metric* metric_ = nullptr;
  bool is_headed_ = false;
  std::string text_;
};

void put_workloads(MetricWriter& out, const model::Sight& sees) {
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

void put_removed(MetricWriter& out, const model::Snapshot& head) {
  if (!head.probe.sees.removal) return;
  out.begin(kRemoved);
  for (const RemovedCount& removed : kRemovedCounts) {
    out.of_namespaces([&](const NamespaceMetrics& of) { return std::optional(of.counts.*removed.count); },
                      label("how", removed.how));
  }
}

void put_namespaces(MetricWriter& out, const model::Snapshot& head) {
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
    out.of_namespaces([&](const NamespaceMetrics& of) { return of.missed.*missed.count; }, label("what", missed.what));
  }
}

void put_process(MetricWriter& out, const ProcessMetrics& process) {
  out.gauge(kCpu, process.cpu_seconds);
  out.gauge(kResident, process.resident_bytes);
  out.gauge(kOpenFds, process.open_fds);
  out.gauge(kMaxFds, process.max_fds);
  out.gauge(kStartTime, process.start_time_s);
}

}  // namespace

const char* content_type(MetricFormat format) {
  return format == MetricFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                         MetricFormat format) {
  MetricWriter out(fold, format);
  const model::SnapshotPtr& head = fold.head();
  if (!head) return out.finish();
  put_namespaces(out, *head);
  put_workloads(out, head->probe.sees);
  out.begin(kBuild);
  out.sample(fmt::format("{},{},{}", label("version", build.version), label("commit", build.commit),
                         label("backend", head->probe.backend)),
             1);
  out.begin(kBpfRun);
  for (const auto& [program, run_ns] : head->cost.bpf_run_ns_of) {
    out.sample(label("program", program), static_cast<double>(run_ns) * 1e-9);
  }
  if (process) put_process(out, *process);
  return out.finish();
}

}  // namespace twtrace::output
