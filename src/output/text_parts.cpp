// SPDX-License-Identifier: Apache-2.0
#include "output/text_parts.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {

std::string text_verdict_lines(const std::vector<VerdictLine>& verdicts, Color color) {
  std::string out;
  for (const VerdictLine& line : verdicts) {
    out += line.fails ? alarm("FAIL", color) + " " : "ok   ";
    out += wrapped(base::sanitize_terminal(line.budget + ": " + line.words), 5, 5, true);
  }
  return out;
}

std::string text_verdicts(const report::Report& report, Color color) {
  if (report.verdicts.empty()) return {};
  const std::string out = text_verdict_lines(verdict_lines(report), color);
  if (!report::breached(report)) return out + "Every budget is kept.\n";
  const bool exceeded = std::any_of(report.verdicts.begin(), report.verdicts.end(), [](const report::Verdict& verdict) {
    return verdict.state == report::Verdict::State::kBreached;
  });
  return out + alarm(exceeded ? "A budget is breached." : "A budget cannot be measured, so it fails.", color) + "\n";
}

}  // namespace twtrace::output
