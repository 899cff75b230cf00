// SPDX-License-Identifier: Apache-2.0
// Metrics as OTLP/JSON (OpenTelemetry protocol 1.x), for collectors that take pushes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "output/metric_walk.hpp"

namespace twtrace::output {

/// What a document says beside the metrics.
struct OtlpContext {
  std::map<std::string, std::string> resource;  ///< attributes of what is measured: service.name, host.name ...
  std::uint64_t start_unix_ns = 0;              ///< when the counters were 0
  std::uint64_t now_unix_ns = 0;                ///< when they were read
};

/// The name of a metric in OpenTelemetry: `twtrace.` and no unit, so that a translation to Prometheus gives the names
/// of openmetrics.hpp. Those of the process have the names of the semantic conventions. Empty: not sent.
std::string otlp_name(const Metric& metric);

/// An ExportMetricsServiceRequest with all metrics of the last sample, cumulative. Pure.
std::string otlp_metrics(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                         const OtlpContext& context);

}  // namespace twtrace::output
