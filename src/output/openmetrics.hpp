// SPDX-License-Identifier: Apache-2.0
// Metrics as text, for Prometheus and what reads the same formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "output/metric_fold.hpp"

namespace twtrace::output {

enum class MetricFormat {
  kText,         ///< Prometheus text format 0.0.4
  kOpenMetrics,  ///< OpenMetrics 1.0
};

/// The value of the Content-Type header.
const char* content_type(MetricFormat format);

/// Which twtrace this is.
struct BuildInfo {
  std::string version;
  std::string commit;  ///< empty for a release tarball
};

/// What exporters say about their own process, under the names that all of them use.
struct ProcessMetrics {
  double cpu_seconds = 0;  ///< user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  double start_time_s = 0;  ///< since the Unix epoch
};

/// All metrics of the last sample; nothing but the end if there was none. Without timestamps. `process` is left out
/// where another exporter's metrics stand beside these. Pure.
std::string metrics_text(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                         MetricFormat format);

}  // namespace twtrace::output
