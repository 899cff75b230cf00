// SPDX-License-Identifier: Apache-2.0
// One walk over all metrics, for every form that they are written in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "output/metric_families.hpp"
#include "output/metric_fold.hpp"

namespace twtrace::output {

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

using MetricNumber = std::variant<std::uint64_t, double>;

/// The form that metrics are written in.
class MetricForm {
 public:
  MetricForm() = default;
  MetricForm(const MetricForm&) = delete;
  MetricForm& operator=(const MetricForm&) = delete;
  virtual ~MetricForm() = default;

  /// One label, escaped. Several are joined by commas.
  virtual std::string label(std::string_view name, std::string_view value) const = 0;
  /// The samples of a metric follow, at least one. The metric stays valid until the next one begins.
  virtual void begin(const Metric& metric) = 0;
  virtual void sample(const Metric& metric, std::string_view labels, const MetricNumber& value) = 0;
};

/// Writes all metrics of the last sample; nothing if there was none. `process` is left out where another exporter's
/// metrics stand beside these.
void walk_metrics(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                  MetricForm& form);

}  // namespace twtrace::output
