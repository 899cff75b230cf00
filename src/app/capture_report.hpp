// SPDX-License-Identifier: Apache-2.0
// From a capture file to its report: shared by capture, report and diff.
#pragma once

#include <string>

#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "report/report.hpp"

namespace twtrace::app {

/// Reads a capture, whoever made it.
base::Result<report::Report> read_report(const std::string& path, const BudgetOptions& budgets);

/// Reads the capture back and reports on it, on standard error when a command owns standard output. Whether a budget
/// was breached.
base::Result<bool> report_capture(const std::string& path, const BudgetOptions& budgets, bool to_stderr);

}  // namespace twtrace::app
