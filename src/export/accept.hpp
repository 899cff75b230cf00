// SPDX-License-Identifier: Apache-2.0
// Which format a client wants.
#pragma once

#include <string_view>

#include "output/openmetrics.hpp"

namespace twtrace::exporter {

/// Chooses by the Accept header (RFC 9110, 12.5.1), which may be any text. OpenMetrics only if the client names it, in
/// version 1.0.0 or in any, and does not prefer text/plain. Pure.
output::MetricFormat negotiate(std::string_view accept);

}  // namespace twtrace::exporter
