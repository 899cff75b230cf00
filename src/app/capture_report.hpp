// SPDX-License-Identifier: Apache-2.0
// Makes the report of a capture file, for capture, report and diff.
#pragma once

#include <optional>
#include <string>

#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "report/report.hpp"

namespace twtrace::app {

/// Reads a capture from any source. `filter` names owners and a network namespace of the capture: kUsage if that is not
/// clear, see netns_of_capture().
base::Result<report::Report> read_report(const std::string& path, const BudgetOptions& budgets,
                                         const FilterOptions& filter,
                                         report::Purpose purpose = report::Purpose::kReport);

/// The same for one of several captures: empty if it has no namespace that --netns asks for.
base::Result<std::optional<report::Report>> read_report_of_several(const std::string& path,
                                                                   const BudgetOptions& budgets,
                                                                   const FilterOptions& filter);

/// Reads the capture back and prints the report, to standard error if a command owns standard output. Returns whether a
/// budget that the file has was breached.
base::Result<bool> report_capture(const std::string& path, report::Partial partial, const report::Selection& selection,
                                  bool to_stderr);

}  // namespace twtrace::app
