// SPDX-License-Identifier: Apache-2.0
#include "output/text_parts.hpp"

#include "base/escape.hpp"
#include "output/report_parts.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {

std::string text_verdicts(const report::Report& report, Color color) {
  if (report.verdicts.empty()) return {};
  std::string out;
  for (const report::Verdict& verdict : report.verdicts) {
    out += verdict.fails() ? alarm("FAIL", color) + " " : "ok   ";
    out += wrapped(base::sanitize_terminal(verdict_words(report, verdict)), 5, 5, true);
  }
  return out + (report::breached(report) ? alarm("A budget is breached.", color) : "Every budget is kept.") + "\n";
}

}  // namespace twtrace::output
