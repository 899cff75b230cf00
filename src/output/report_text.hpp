// SPDX-License-Identifier: Apache-2.0
// A report as plain text, at most 79 columns wide, so that it fits a mail. ASCII, except for names.
#pragma once

#include <string>

#include "output/style.hpp"
#include "report/report.hpp"

namespace twtrace::output {

std::string report_text(const report::Report& report, Color color);

}  // namespace twtrace::output
