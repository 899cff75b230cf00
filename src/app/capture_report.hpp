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

/// One of several captures.
struct OneOfSeveral {
  std::optional<report::Report> report;  ///< empty: it has no namespace that --netns asks for
  std::string failed_budget;             ///< then: the first budget it was given that fails, in words; empty: none
};

/// The same for one of several captures. A selection hides no failure: the budgets that the capture was given are
/// judged in any case.
base::Result<OneOfSeveral> read_report_of_several(const std::string& path, const BudgetOptions& budgets,
                                                  const FilterOptions& filter);

/// Reads the capture back and prints the report, to standard error if a command owns standard output. Returns whether a
/// budget that the file has was breached.
base::Result<bool> report_capture(const std::string& path, report::Partial partial, const report::Selection& selection,
                                  bool to_stderr);

}  // namespace twtrace::app
