// SPDX-License-Identifier: Apache-2.0
// A report as Markdown (with GitHub's tables), for the summary of a CI job.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::output {

std::string report_markdown(const report::Report& report);

}  // namespace twtrace::output
