// SPDX-License-Identifier: Apache-2.0
// What capture does with its file when it is done.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "report/budget.hpp"

namespace twtrace::app {

/// kUsage names the first budget that makes no sense.
base::Result<std::vector<report::Budget>> parse_budgets(const std::vector<std::string>& texts);

/// Reads the capture back and reports on it, on standard error when a command owns standard output. Whether a budget was
/// breached.
base::Result<bool> report_capture(const std::string& path, const std::vector<report::Budget>& budgets, bool to_stderr);

}  // namespace twtrace::app
