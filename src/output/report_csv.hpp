// SPDX-License-Identifier: Apache-2.0
// The offenders of a report as CSV (RFC 4180), every row.
#pragma once

#include <string>

#include "report/diff.hpp"

namespace twtrace::output {

/// A line of titles, then a line per row. Cells of text are guarded against spreadsheets; what is not known is empty.
std::string report_csv(const report::Report& report);
std::string diff_csv(const report::Diff& diff);

}  // namespace twtrace::output
