// SPDX-License-Identifier: Apache-2.0
// What capture does with its file when it is done.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace twtrace::app {

using Budgets = std::vector<std::string>;

/// kUsage names the first budget that makes no sense.
base::Result<Budgets> parse_budgets(const std::vector<std::string>& texts);

/// Reads the capture back and tells what is in it, on standard error when a command owns standard output. Whether a
/// budget was breached.
base::Result<bool> report_capture(const std::string& path, const Budgets& budgets, bool to_stderr);

}  // namespace twtrace::app
