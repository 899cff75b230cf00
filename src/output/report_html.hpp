// SPDX-License-Identifier: Apache-2.0
// A report as one file of HTML: no script, no network, pictures as inline SVG.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::output {

std::string report_html(const report::Report& report);

}  // namespace twtrace::output
