// SPDX-License-Identifier: Apache-2.0
// Pieces of plain text. Private to this folder.
#pragma once

#include <string>

#include "output/style.hpp"
#include "report/report.hpp"

namespace twtrace::output {

/// One paragraph per verdict, and the overall result; empty without budgets.
std::string text_verdict_lines(const std::vector<VerdictLine>& verdicts, Color color);
std::string text_verdicts(const report::Report& report, Color color);

}  // namespace twtrace::output
