// SPDX-License-Identifier: Apache-2.0
// A report as Markdown (GitHub's tables), as a CI job puts it into its summary.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::output {

std::string report_markdown(const report::Report& report);

}  // namespace twtrace::output
