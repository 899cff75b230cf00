// SPDX-License-Identifier: Apache-2.0
// Judges budgets by a report. Private to this folder.
#pragma once

#include <optional>

#include "report/report.hpp"
#include "report/selected.hpp"

namespace twtrace::report {

/// Judges any number of budgets by one report. Refers to the reports. Not thread-safe.
class Judge {
 public:
  Judge(const Report& report, Partial partial);
  /// created_ratio is created per second of `report` / created per second of `baseline`, each over its whole time.
  Judge(const Report& report, const Report& baseline, Partial partial);

  /// Measures what the budget asks for, compares, and names whose most of it is. What cannot be measured (the backend
  /// does not see it, there is no window to compare with, a part of the capture is missing, nothing of a name ran) is
  /// not kept: a budget never passes unseen. Counts and peaks that already exceed the budget stay a breach, whatever is
  /// missing.
  Verdict judge(const Budget& budget);

 private:
  Population report_;
  std::optional<Population> baseline_;
  Partial partial_;
};

}  // namespace twtrace::report
