// SPDX-License-Identifier: Apache-2.0
// From a budget and a report to a verdict. Private to this folder.
#pragma once

#include "report/report.hpp"

namespace twtrace::report {

/// Measures what the budget asks for, compares, and names whose most of it is. What cannot be measured (the backend
/// does not see it, there is no window to compare with) is not kept: a budget never passes unseen. Pure.
Verdict judge(const Budget& budget, const Report& report);

/// The same with created_ratio as created per second of `report` / that of `baseline`, both over all their time.
Verdict judge(const Budget& budget, const Report& report, const Report& baseline);

}  // namespace twtrace::report
