// SPDX-License-Identifier: Apache-2.0
#include "output/report_text.hpp"

#include <fmt/format.h>

#include "output/log_parts.hpp"
#include "output/report_parts.hpp"
#include "output/text_chart.hpp"
#include "output/text_grid.hpp"
#include "output/text_parts.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {
namespace {

using report::Finding;
using report::Report;
using report::Severity;

constexpr std::size_t kFactColumns = 10;

std::string heading(const std::string& text) {
  return "\n" + base::fit(base::sanitize_terminal(text), kTextColumns) + "\n";
}

std::string facts(const std::vector<Property>& all) {
  std::string out;
  for (const Property& fact : all) {
    out += base::pad(fact.name, kFactColumns, base::Align::kLeft) +
           wrapped(base::sanitize_terminal(fact.value), kFactColumns, kFactColumns, true);
  }
  return out;
}

std::string text_phases(const Report& report) {
  if (report.samples == 0) return {};
  std::string out = heading(fullest_name(report) + fullest_of(report));
  out += text_grid(phases_grid(report, true));
  if (report.namespaces.size() > 1) {
    out += heading(fmt::format("all {} network namespaces", report.namespaces.size()));
    out += text_grid(phases_grid(report, false));
  }
  return out;
}

std::string finding_text(const Finding& finding, std::size_t number, Color color) {
  const std::string severity = to_string(finding.severity);
  const std::string title = fmt::format("{}. ", number);
  std::string out = title + (finding.severity == Severity::kCritical ? alarm(severity, color) : severity) + " ";
  out += wrapped(base::sanitize_terminal(finding.text + " [" + finding.id + "]"), title.size() + severity.size() + 1, 3,
                 true);
  const auto part = [&out](const char* name, const std::string& text) {
    if (text.empty()) return;
    out += "   " + base::pad(name, 9, base::Align::kLeft) + wrapped(base::sanitize_terminal(text), 12, 12, true);
  };
  for (const std::string& evidence : finding.evidence)
    part(&evidence == finding.evidence.data() ? "evidence" : "", evidence);
  part("check", finding.command);
  part("change", finding.change);
  part("risk", finding.risk);
  part("but", finding.avoid);
  return out;
}

std::string findings(const Report& report, Color color) {
  if (report.findings.empty()) return "\nNo findings.\n";
  std::string out = heading(fmt::format("FINDINGS ({})", report.findings.size()));
  std::size_t number = 0;
  for (const Finding& finding : report.findings) out += finding_text(finding, ++number, color);
  return out + "twtrace changes nothing by itself.\n";
}

}  // namespace

std::string report_text(const Report& report, Color color) {
  std::string out;
  for (const std::string& line : trouble_lines(report)) {
    out += alarm("!", color) + " " + wrapped(base::sanitize_terminal(line), 2, 2, true);
  }
  out += wrapped(base::sanitize_terminal(report::headline(report)) + ".", 0, 0, true);
  out += text_verdicts(report, color);
  out += "\n" + facts(header_properties(report));
  out += text_phases(report);
  if (const std::string chart = text_chart(report); !chart.empty())
    out += heading("TIMELINE of " + fullest_name(report)) + chart;
  if (const auto logs = log_properties(report); !logs.empty()) out += heading("APPLICATION ERRORS") + facts(logs);
  if (const Grid owners = owners_grid(report, kOwnersShown); !owners.rows.empty()) {
    out += heading("TOP OFFENDERS") + text_grid(owners);
  }
  if (!report.peers.empty()) out += heading("REMOTE ENDS") + text_grid(peers_grid(report, kPeersShown));
  out += findings(report, color);
  return out + heading("TRUST") + facts(trust_properties(report));
}

}  // namespace twtrace::output
