// SPDX-License-Identifier: Apache-2.0
// Pieces of HTML. Private to this folder.
#pragma once

#include <string>
#include <vector>

#include "output/report_parts.hpp"

namespace twtrace::output {

/// A whole page around `body`, which is HTML. It has no script, uses nothing from the network, and has a policy that
/// says so. If the policy of a server forbids its style, it is still readable.
std::string html_page(const std::string& title, const std::string& body);
/// `level` 1 to 3.
std::string html_heading(int level, const std::string& text);
std::string html_headline(const std::string& text);
/// What the first word of a page says.
struct Condition {
  bool breached = false;    ///< a budget
  bool trouble = false;     ///< something went wrong
  bool incomplete = false;  ///< a part of the capture is missing, so that nobody knows what else went wrong
};
/// The headline behind a coloured word: FAIL, TROUBLE, INCOMPLETE or OK, the first that is true.
std::string html_verdict(const Condition& condition, const std::string& headline);
std::string html_grid(const Grid& grid);
std::string html_facts(const std::vector<Property>& facts);
/// One line per verdict; empty without budgets.
std::string html_verdicts(const std::vector<VerdictLine>& verdicts);
std::string html_warnings(const std::vector<std::string>& warnings);

/// The timeline of the fullest namespace as SVG, with a legend; empty without samples.
std::string html_chart(const report::Report& report);
/// Bars of the top offenders as SVG: created, followed by refused.
std::string html_bars(const report::Report& report);

/// The style element's content, and its SHA-256 in base64, by which the page's policy allows it.
extern const char* const kHtmlStyle;
extern const char* const kHtmlStyleHash;

}  // namespace twtrace::output
