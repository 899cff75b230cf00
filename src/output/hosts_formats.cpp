// SPDX-License-Identifier: Apache-2.0
#include "output/hosts_formats.hpp"

#include <fmt/format.h>

#include "output/csv.hpp"
#include "output/hosts_parts.hpp"
#include "output/html_parts.hpp"
#include "output/json_fields.hpp"
#include "output/log_json.hpp"
#include "output/log_parts.hpp"
#include "output/markdown_parts.hpp"
#include "output/report_fields.hpp"
#include "output/text_grid.hpp"
#include "output/text_parts.hpp"
#include "output/wrap.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

using report::Host;
using report::Hosts;
using report::ServiceCounts;
using report::ServicePart;

/// What every backend of a service's hosts sees.
model::Sight seen_on_all(const Hosts& hosts, const ServicePart& service) {
  const auto of = [&](const ServicePart::OnHost& on_host) { return hosts.hosts[on_host.host].report.info.probe.sees; };
  model::Sight sees = of(service.hosts.front());
  for (const ServicePart::OnHost& on_host : service.hosts) sees &= of(on_host);
  return sees;
}

void put_part(JsonWriter& json, const ServiceCounts& part, const model::Sight& sees) {
  put_counts(json, part.counts, sees);
  json.field("before_start", part.before_start);
  json.field("share", rounded(part.share));
}

void put_host_report(JsonWriter& json, const Host& host) {
  const report::Report& report = host.report;
  const bool known = !report.namespaces.empty();
  json.text("host", host.name);
  json.text("file", host.file);
  json.text("copy_of", host.copy_of);
  json.field("breached", report::breached(report));
  json.text("headline", report::headline(report));
  put_troubles(json, report.troubles);
  put_verdicts(json, report);
  json.object("capture", [&] { put_capture(json, report); });
  json.field("limit", known ? report.namespaces.front().last.limit : std::nullopt);
  json.field("in_use_peak", known ? report.namespaces.front().in_use_peak : std::nullopt);
  json.field("peak_percent", rounded(report::peak_percent(report)));
  put_application_errors(json, report.logs);
  json.objects("findings", report.findings, [&](const report::Finding& finding) {
    json.field("id", finding.id);
    json.field("severity", to_string(finding.severity));
    json.text("text", finding.text);
  });
}

void put_service(JsonWriter& json, const Hosts& hosts, const ServicePart& service) {
  json.field("kind", view::row_kind(service.kind));
  json.text("service", service.name);
  put_part(json, service.all, seen_on_all(hosts, service));
  json.objects("hosts", service.hosts, [&](const ServicePart::OnHost& on_host) {
    const Host& host = hosts.hosts[on_host.host];
    json.text("host", host.name);
    put_part(json, on_host.counts, host.report.info.probe.sees);
  });
}

}  // namespace

std::string hosts_text(const Hosts& hosts, Color color) {
  std::string out;
  const auto paragraph = [](const std::string& text, std::size_t used, std::size_t indent) {
    return wrapped(base::sanitize_terminal(text), used, indent, true);
  };
  for (const std::string& line : hosts_trouble_lines(hosts)) out += alarm("!", color) + " " + paragraph(line, 2, 2);
  out += paragraph(report::headline(hosts) + ".", 0, 0);
  out += text_verdict_lines(hosts_verdict_lines(hosts), color);
  out += "\nHOSTS, the worst first\n" + text_grid(hosts_grid(hosts));
  if (!hosts.services.empty()) out += "\nWHO, by service and host\n" + text_grid(services_grid(hosts));
  const Grid logs = hosts_logs_grid(hosts);
  if (!logs.rows.empty()) out += "\nAPPLICATION ERRORS, by host\n" + text_grid(logs);
  const std::vector<std::string> findings = hosts_finding_lines(hosts);
  out += findings.empty() ? "\nNo findings.\n" : "\nFINDINGS\n";
  for (const std::string& line : findings) out += paragraph(line, 0, 2);
  return out + "\n" + paragraph(hosts_hint(hosts), 0, 0);
}

std::string hosts_markdown(const Hosts& hosts) {
  using base::markdown_text;
  std::string out = fmt::format("## TIME_WAIT on {} hosts\n\n", hosts.hosts.size());
  for (const std::string& line : hosts_trouble_lines(hosts)) out += "- **!** " + markdown_text(line) + "\n";
  out += "\n" + markdown_text(report::headline(hosts)) + ".\n\n";
  out += markdown_verdict_lines(hosts_verdict_lines(hosts));
  out += "\n### Hosts\n\n" + markdown_grid(hosts_grid(hosts));
  if (!hosts.services.empty()) out += "\n### Who\n\n" + markdown_grid(services_grid(hosts));
  const Grid logs = hosts_logs_grid(hosts);
  if (!logs.rows.empty()) out += fmt::format("\n### {}\n\n", kLogsTitle) + markdown_grid(logs);
  const std::vector<std::string> findings = hosts_finding_lines(hosts);
  out += findings.empty() ? "\nNo findings.\n" : "\n### Findings\n\n";
  for (const std::string& line : findings) out += "- " + markdown_text(line) + "\n";
  return out + "\n" + markdown_text(hosts_hint(hosts)) + "\n";
}

std::string hosts_json(const Hosts& hosts) {
  std::string out;
  JsonWriter json(out);
  json.object([&] {
    json.field("schema", "twtrace.hosts/1");
    json.field("breached", report::breached(hosts));
    json.text("headline", report::headline(hosts));
    json.text("worst", hosts.hosts.front().name);
    json.objects("hosts", hosts.hosts, [&](const Host& host) { put_host_report(json, host); });
    json.objects("left_out", hosts.left_out, [&](const report::LeftOut& capture) {
      json.text("file", capture.file);
      json.field("reason", capture.is_unread ? "not_read" : "no_namespace");
      json.text("error", capture.why);
      json.field("breached", capture.fails);
    });
    json.objects("services", hosts.services, [&](const ServicePart& service) { put_service(json, hosts, service); });
  });
  return out;
}

std::string hosts_csv(const Hosts& hosts) {
  std::string out = "kind,service,host,file,before_start,share";
  for (const model::CountName& count : model::kCountNames) (out += ',') += count.name;
  out += '\n';
  for (const ServicePart& service : hosts.services) {
    for (const ServicePart::OnHost& on_host : service.hosts) {
      const Host& host = hosts.hosts[on_host.host];
      out += fmt::format("{},{},{},{},{},{:.4f}", view::row_kind(service.kind), csv_text(service.name),
                         csv_text(host.name), csv_text(host.file), on_host.counts.before_start, on_host.counts.share);
      for (const model::CountName& count : model::kCountNames) {
        out += ',';
        if (count.is_known(host.report.info.probe.sees)) out += std::to_string(count.of(on_host.counts.counts));
      }
      out += '\n';
    }
  }
  for (const report::LeftOut& capture : hosts.left_out) {
    out += fmt::format("{},,,{},,", capture.is_unread ? "not_read" : "no_namespace", csv_text(capture.file));
    out.append(model::kCountNames.size(), ',');
    out += '\n';
  }
  return out;
}

std::string hosts_html(const Hosts& hosts) {
  const std::string title = fmt::format("TIME_WAIT on {} hosts", hosts.hosts.size());
  std::string body = html_heading(1, title);
  const std::vector<std::string> troubles = hosts_trouble_lines(hosts);
  const bool troubled = std::any_of(hosts.hosts.begin(), hosts.hosts.end(),
                                    [](const Host& host) { return report::troubled(host.report); });
  const bool incomplete =
      report::unread(hosts) != 0 || std::any_of(hosts.hosts.begin(), hosts.hosts.end(),
                                                [](const Host& host) { return !report::missing(host.report).empty(); });
  body += html_verdict({report::breached(hosts), troubled, incomplete}, report::headline(hosts) + ".");
  body += html_warnings(troubles);
  body += html_verdicts(hosts_verdict_lines(hosts)) + html_heading(2, "Hosts, the worst first") +
          html_grid(hosts_grid(hosts));
  if (!hosts.services.empty()) body += html_heading(2, "Who, by service and host") + html_grid(services_grid(hosts));
  const Grid logs = hosts_logs_grid(hosts);
  if (!logs.rows.empty()) body += html_heading(2, kLogsTitle) + html_grid(logs);
  const std::vector<std::string> findings = hosts_finding_lines(hosts);
  body += html_heading(2, findings.empty() ? "No findings" : "Findings");
  for (const std::string& line : findings) body += "<p>" + base::html_text(line) + "</p>\n";
  return html_page(title, body + "<p>" + base::html_text(hosts_hint(hosts)) + "</p>\n");
}

}  // namespace twtrace::output
