// SPDX-License-Identifier: Apache-2.0
// Where metrics are pushed to, as OpenTelemetry's environment variables say.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace twtrace::exporter {

struct OtlpSettings {
  std::string url;                   ///< of the metrics
  std::vector<std::string> headers;  ///< "Name: value"
  std::map<std::string, std::string> resource;
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds timeout{10'000};
};

/// Reads OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT and _PROTOCOL, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME and
/// OTEL_METRIC_EXPORT_INTERVAL; an empty one counts as unset. Nothing without an endpoint. kUsage for a value that
/// makes no sense, and for a protocol other than http/json. `variable` is getenv(3).
base::Result<std::optional<OtlpSettings>> otlp_settings(const std::function<const char*(const char*)>& variable);

}  // namespace twtrace::exporter
