// SPDX-License-Identifier: Apache-2.0
// The pages of the exporter.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "output/openmetrics.hpp"

namespace twtrace::exporter {

/// The parts of an HTTP request that matter.
struct Request {
  std::string_view method;
  std::string_view path;  ///< without the query
  std::string_view accept;
};

struct Reply {
  unsigned status = 200;
  std::string content_type;
  std::shared_ptr<const std::string> body;
  std::string_view allow;  ///< the methods, if the request had another; else empty
};

/// The metrics of the last sample; null before the first. The same text until the next sample.
using MetricsText = std::function<std::shared_ptr<const std::string>(output::MetricFormat)>;

/// What the server answers. Pure, apart from the text that it is given.
struct Site {
  std::string telemetry_path = "/metrics";
  MetricsText metrics;

  Reply answer(const Request& request) const;
};

/// True for the methods that are answered: GET and HEAD.
bool is_known_method(std::string_view method);

}  // namespace twtrace::exporter
