// SPDX-License-Identifier: Apache-2.0
// A report as plain text: at most 79 columns of ASCII around the names in it, so that it fits a mail.
#pragma once

#include <string>

#include "output/style.hpp"
#include "report/report.hpp"

namespace twtrace::output {

std::string report_text(const report::Report& report, Color color);

}  // namespace twtrace::output
