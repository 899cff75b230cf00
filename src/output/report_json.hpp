// SPDX-License-Identifier: Apache-2.0
// A report as JSON, schema "twtrace.report/1". docs/report.md names every field.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::output {

/// One line of ASCII without a newline. Unknown values are null. Fields may be added, but none is renamed.
std::string report_json(const report::Report& report);

}  // namespace twtrace::output
