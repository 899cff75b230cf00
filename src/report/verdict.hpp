// SPDX-License-Identifier: Apache-2.0
// Judges a budget by a report. Private to this folder.
#pragma once

#include "report/report.hpp"

namespace twtrace::report {

/// Measures what the budget asks for, compares, and names whose most of it is. What cannot be measured (the backend
/// does not see it, there is no window to compare with, a part of the capture is missing, nothing of a name ran) is not
/// kept: a budget never passes unseen. Counts and peaks that already exceed the budget stay a breach, whatever is
/// missing. Pure.
Verdict judge(const Budget& budget, const Report& report, Partial partial);

/// The same, but created_ratio is created per second of `report` / created per second of `baseline`, each over its
/// whole time.
Verdict judge(const Budget& budget, const Report& report, const Report& baseline, Partial partial);

}  // namespace twtrace::report
