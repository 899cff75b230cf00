// SPDX-License-Identifier: Apache-2.0
#include "output/report_html.hpp"

#include <fmt/format.h>

#include "output/html_parts.hpp"
#include "output/log_parts.hpp"

namespace twtrace::output {
namespace {

using report::Report;

std::string html_phases(const Report& report) {
  if (report.samples == 0) return {};
  const bool several = report.namespaces.size() > 1;
  std::string out = html_heading(2, (report.info.command ? "Before, during, after: " : "The capture: ") +
                                        fullest_name(report) + fullest_of(report)) +
                    html_grid(phases_grid(report, true));
  if (!several) return out;
  return out + html_heading(2, fmt::format("All {} network namespaces", report.namespaces.size())) +
         html_grid(phases_grid(report, false));
}

std::string finding_html(const report::Finding& finding) {
  const std::string severity = to_string(finding.severity);
  std::string out = fmt::format("<article class=\"{}\" id=\"{}\">\n<h3><span class=\"{}\">{}</span>: {}</h3>\n",
                                severity, base::html_text(finding.id),
                                finding.severity == report::Severity::kCritical  ? "bad"
                                : finding.severity == report::Severity::kWarning ? "warn"
                                                                                 : "",
                                severity, base::html_text(finding.text));
  out += "<table class=\"facts\">\n";
  const auto part = [&out](const char* name, const std::string& text, bool code) {
    if (text.empty()) return;
    const std::string value = base::html_text(text);
    out += fmt::format("<tr><th align=\"left\">{}</th><td>{}</td></tr>\n", name,
                       code ? "<code>" + value + "</code>" : value);
  };
  for (const std::string& line : finding.evidence)
    part(&line == finding.evidence.data() ? "evidence" : "", line, false);
  part("check", finding.command, true);
  part("change", finding.change, finding.change.find("sysctl -w") != std::string::npos);
  part("risk", finding.risk, false);
  part("but", finding.avoid, false);
  return out + "</table>\n</article>\n";
}

std::string html_findings(const Report& report) {
  if (report.findings.empty()) return html_heading(2, "No findings");
  std::string out = html_heading(2, fmt::format("Findings ({})", report.findings.size()));
  for (const report::Finding& finding : report.findings) out += finding_html(finding);
  return out;
}

}  // namespace

std::string report_html(const Report& report) {
  std::string body = html_heading(1, "TIME_WAIT on " + report_title(report));
  body += html_verdict({report::breached(report), report::troubled(report), !report::missing(report).empty()},
                       report::headline(report) + ".");
  body += html_warnings(trouble_lines(report)) + html_verdicts(verdict_lines(report)) + html_findings(report);
  if (const std::string chart = html_chart(report); !chart.empty()) {
    body += html_heading(2, "Timeline of " + fullest_name(report)) + chart;
  }
  if (const auto logs = log_properties(report); !logs.empty()) {
    body += html_heading(2, kLogsTitle) + html_facts(logs);
  }
  if (const Grid owners = owners_grid(report, kOwnersShown); !owners.rows.empty()) {
    body += html_heading(2, "Top offenders") + html_bars(report) + html_grid(owners);
  }
  if (!report.peers.empty()) body += html_heading(2, "Remote ends") + html_grid(peers_grid(report, kPeersShown));
  body += html_phases(report) + html_heading(2, "Capture") + html_facts(header_properties(report));
  body += html_heading(2, "Trust") + html_facts(trust_properties(report));
  return html_page("TIME_WAIT: " + report_title(report), body);
}

}  // namespace twtrace::output
