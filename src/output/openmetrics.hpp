// SPDX-License-Identifier: Apache-2.0
// Metrics as text, for Prometheus and what reads the same formats.
#pragma once

#include <optional>
#include <string>

#include "output/metric_walk.hpp"

namespace twtrace::output {

/// The formats that a scrape can ask for.
enum class MetricFormat {
  kText,         ///< Prometheus text format 0.0.4
  kOpenMetrics,  ///< OpenMetrics 1.0
};

/// The value of the Content-Type header.
const char* content_type(MetricFormat format);

/// All metrics of the last sample; nothing but the end if there was none. Without timestamps. `process` is left out
/// where another exporter's metrics stand beside these. Pure.
std::string metrics_text(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                         MetricFormat format);

}  // namespace twtrace::output
