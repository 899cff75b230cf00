// SPDX-License-Identifier: Apache-2.0
// The offenders of a report as CSV (RFC 4180), every row.
#pragma once

#include <string>

#include "report/diff.hpp"

namespace twtrace::output {

/// One line of titles, then one line per row. Text cells are guarded against spreadsheet formulas. Unknown values are
/// empty.
std::string report_csv(const report::Report& report);
std::string diff_csv(const report::Diff& diff);

}  // namespace twtrace::output
