// SPDX-License-Identifier: Apache-2.0
// Pieces of plain text. Private to this folder.
#pragma once

#include <string>

#include "output/report_parts.hpp"
#include "output/style.hpp"

namespace twtrace::output {

/// One paragraph per verdict.
std::string text_verdict_lines(const std::vector<VerdictLine>& verdicts, Color color);
/// The same for a report, and the overall result; empty without budgets.
std::string text_verdicts(const report::Report& report, Color color);

}  // namespace twtrace::output
