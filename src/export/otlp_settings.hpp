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
#include "export/otlp_url.hpp"

namespace twtrace::exporter {

struct OtlpSettings {
  std::string off;                   ///< why nothing is pushed all the same; then the rest means nothing
  OtlpUrl url;                       ///< of the metrics
  std::vector<std::string> headers;  ///< "Name: value", or "Name;" without a value, as libcurl takes them
  std::map<std::string, std::string> resource;
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds timeout{10'000};
};

/// Reads OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT and _PROTOCOL, and those that begin with
/// OTEL_EXPORTER_OTLP_METRICS_ and come first; OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME,
/// OTEL_METRIC_EXPORT_INTERVAL, OTEL_SDK_DISABLED and OTEL_METRICS_EXPORTER. An empty one counts as unset. Nothing
/// without an endpoint. kUsage for a value that makes no sense, and for a protocol other than http/json; it shows
/// neither an endpoint nor a header, which may hold a password. `variable` is getenv(3).
base::Result<std::optional<OtlpSettings>> otlp_settings(const std::function<const char*(const char*)>& variable);

}  // namespace twtrace::exporter
