// SPDX-License-Identifier: Apache-2.0
#include "output/report_markdown.hpp"

#include <fmt/format.h>

#include "output/log_parts.hpp"
#include "output/markdown_parts.hpp"
#include "output/text_chart.hpp"

namespace twtrace::output {
namespace {

using report::Report;

std::string markdown_phases(const Report& report) {
  if (report.samples == 0) return {};
  std::string out = "\n### " + base::markdown_text(fullest_name(report)) + fullest_of(report) + "\n\n" +
                    markdown_grid(phases_grid(report, true));
  if (report.namespaces.size() > 1) {
    out += fmt::format("\n### All {} network namespaces\n\n", report.namespaces.size()) +
           markdown_grid(phases_grid(report, false));
  }
  return out;
}

/// Uses a block of HTML, because a name in the chart could close a fence.
std::string chart(const Report& report) {
  const std::string text = text_chart(report);
  if (text.empty()) return {};
  std::string escaped;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    escaped += base::html_text(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return "\n### Timeline\n\n<pre>\n" + escaped + "</pre>\n";
}

std::string markdown_findings(const Report& report) {
  if (report.findings.empty()) return "\nNo findings.\n";
  std::string out = fmt::format("\n### Findings ({})\n\n", report.findings.size());
  std::size_t number = 0;
  for (const report::Finding& finding : report.findings) {
    out += fmt::format("{}. **{}** {} ({})\n", ++number, to_string(finding.severity), base::markdown_text(finding.text),
                       base::markdown_text(finding.id));
    for (const std::string& line : finding.evidence) out += "   - " + base::markdown_text(line) + "\n";
    const auto part = [&out](const char* name, const std::string& text, bool code) {
      if (text.empty()) return;
      out += fmt::format("   - **{}** ", name) + (code ? markdown_code(text) : base::markdown_text(text)) + "\n";
    };
    part("check", finding.command, true);
    part("change", finding.change, false);
    part("risk", finding.risk, false);
    part("but", finding.avoid, false);
  }
  return out + "\ntwtrace changes nothing by itself.\n";
}

}  // namespace

std::string report_markdown(const Report& report) {
  std::string out = "## TIME_WAIT: " + base::markdown_text(report_title(report)) + "\n\n";
  const std::vector<std::string> troubles = trouble_lines(report);
  for (const std::string& line : troubles) out += "- **!** " + base::markdown_text(line) + "\n";
  out += (troubles.empty() ? "" : "\n") + base::markdown_text(report::headline(report)) + ".\n\n" +
         markdown_verdict_lines(verdict_lines(report));
  out += "\n" + markdown_facts(header_properties(report)) + markdown_phases(report) + chart(report);
  if (const auto logs = log_properties(report); !logs.empty()) {
    out += fmt::format("\n### {}\n\n", kLogsTitle) + markdown_facts(logs);
  }
  if (const Grid owners = owners_grid(report, kOwnersShown); !owners.rows.empty()) {
    out += "\n### Top offenders\n\n" + markdown_grid(owners);
  }
  if (!report.peers.empty()) out += "\n### Remote ends\n\n" + markdown_grid(peers_grid(report, kPeersShown));
  return out + markdown_findings(report) + "\n### Trust\n\n" + markdown_facts(trust_properties(report));
}

}  // namespace twtrace::output
