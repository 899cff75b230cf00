// SPDX-License-Identifier: Apache-2.0
#include "output/hosts_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

using base::grouped;
using report::Host;
using report::Hosts;
using report::ServiceCounts;
using report::ServicePart;

constexpr std::size_t kLinesShown = 10;
constexpr std::size_t kServicesShown = 10;
constexpr std::size_t kHostsOfService = 5;

void cut(std::vector<std::string>& lines, const char* what) {
  if (lines.size() <= kLinesShown) return;
  const std::size_t more = lines.size() - kLinesShown;
  lines.resize(kLinesShown);
  lines.push_back(fmt::format("and {} more {}", more, what));
}

std::string service_name(const ServicePart& service) {
  if (!service.name.empty()) return service.name;
  return service.kind == model::RowKind::kNormal ? "-" : std::string(view::row_label(service.kind));
}

std::vector<std::string> counts_row(std::string service, std::string host, const ServiceCounts& part,
                                    const std::vector<HarmColumn>& harm) {
  std::vector<std::string> cells = {std::move(service),
                                    std::move(host),
                                    grouped(part.counts.created()),
                                    grouped(part.counts.overflow()),
                                    part.before_start == 0 ? "-" : grouped(part.before_start),
                                    percent_words(100 * part.share)};
  append_harm(cells, harm, part.counts);
  return cells;
}

std::string budgets_words(const report::Report& report) {
  if (report.verdicts.empty()) return "-";
  const auto failing = std::count_if(report.verdicts.begin(), report.verdicts.end(),
                                     [](const report::Verdict& verdict) { return verdict.fails(); });
  return failing == 0 ? "ok" : fmt::format("FAIL {} of {}", failing, report.verdicts.size());
}

const report::Verdict* verdict_of(const Host& host, const std::string& budget) {
  const auto& verdicts = host.report.verdicts;
  const auto found = std::find_if(verdicts.begin(), verdicts.end(),
                                  [&](const report::Verdict& verdict) { return verdict.budget.text == budget; });
  return found == verdicts.end() ? nullptr : &*found;
}

VerdictLine budget_line(const Hosts& hosts, const std::string& budget) {
  std::size_t judged = 0;
  std::vector<std::string> failing;
  for (const Host& host : hosts.hosts) {
    const report::Verdict* verdict = verdict_of(host, budget);
    if (verdict == nullptr) continue;
    ++judged;
    if (verdict->fails()) failing.push_back(host.name + " " + measured_words(*verdict));
  }
  for (const report::LeftOut& capture : hosts.left_out) {
    if (!capture.is_unread) continue;
    ++judged;
    failing.push_back(capture.file + " not measurable (not read)");
  }
  VerdictLine line{!failing.empty(), budget, {}};
  if (!line.fails) {
    line.words = fmt::format("kept on {} of {}", judged, judged);
    return line;
  }
  line.words = fmt::format("fails on {} of {}", failing.size(), judged);
  cut(failing, "hosts");
  for (const std::string& words : failing) line.words += (&words == failing.data() ? ": " : "; ") + words;
  return line;
}

}  // namespace

std::vector<std::string> hosts_trouble_lines(const Hosts& hosts) {
  std::vector<std::string> lines;
  for (const Host& host : hosts.hosts) {
    for (const std::string& line : trouble_lines(host.report)) lines.push_back(host.name + ": " + line);
  }
  cut(lines, "troubles");
  return lines;
}

std::vector<VerdictLine> hosts_verdict_lines(const Hosts& hosts) {
  std::vector<VerdictLine> lines;
  for (const Host& host : hosts.hosts) {
    for (const report::Verdict& verdict : host.report.verdicts) {
      const auto is_same = [&](const VerdictLine& line) { return line.budget == verdict.budget.text; };
      if (std::any_of(lines.begin(), lines.end(), is_same)) continue;
      lines.push_back(budget_line(hosts, verdict.budget.text));
    }
  }
  return lines;
}

namespace {

/// Adds a column that says which captures lack something, or are copies, if any is so. It is not part of the name,
/// because a long name is cut.
void add_states(Grid& grid, const Hosts& hosts) {
  std::vector<std::string> states(grid.rows.size(), "-");  // of those that are left out
  bool any = false;
  for (std::size_t i = 0; i < hosts.hosts.size(); ++i) {
    const bool is_copy = !hosts.hosts[i].copy_of.empty();
    const bool incomplete = !report::missing(hosts.hosts[i].report).empty();
    any = any || is_copy || incomplete;
    states[i] = incomplete ? is_copy ? "partial copy" : "partial" : is_copy ? "copy" : "whole";
  }
  if (!any) return;
  grid.columns.insert(grid.columns.begin() + 1, {"FILE", base::Align::kLeft});
  for (std::size_t i = 0; i < states.size(); ++i) grid.rows[i].insert(grid.rows[i].begin() + 1, std::move(states[i]));
}

/// Adds a column beside the refusals of full tables, if any were refused for want of memory.
void add_no_memory(Grid& grid, const Hosts& hosts) {
  constexpr std::ptrdiff_t kBehindOverflow = 7;
  const auto lacks = [](const Host& host) { return host.report.totals.no_memory != 0; };
  if (std::none_of(hosts.hosts.begin(), hosts.hosts.end(), lacks)) return;
  grid.columns.insert(grid.columns.begin() + kBehindOverflow, {"NO_MEM"});
  for (std::size_t i = 0; i < grid.rows.size(); ++i) {
    const bool known = i < hosts.hosts.size();
    grid.rows[i].insert(grid.rows[i].begin() + kBehindOverflow,
                        known ? grouped(hosts.hosts[i].report.totals.no_memory) : "-");
  }
}

}  // namespace

Grid hosts_grid(const Hosts& hosts) {
  Grid grid;
  grid.columns = {
      {"HOST", base::Align::kLeft},   {"TIME"}, {"LIMIT"}, {"IN USE, PEAK"}, {"OF LIMIT"}, {"CREATED"}, {"OVERFLOW"},
      {"BUDGETS", base::Align::kLeft}};
  for (const Host& host : hosts.hosts) {
    const report::Report& report = host.report;
    const bool known = !report.namespaces.empty();
    grid.rows.push_back(
        {host.name, base::duration(report.seconds), known ? count_words(report.namespaces.front().last.limit) : "-",
         known ? count_words(report.namespaces.front().in_use_peak) : "-", percent_words(report::peak_percent(report)),
         grouped(report.totals.created()), grouped(report.totals.overflow()), budgets_words(report)});
  }
  for (const report::LeftOut& capture : hosts.left_out) {
    grid.rows.push_back({capture.file, "-", "-", "-", "-", "-", "-", capture.is_unread ? "not read" : "no such netns"});
  }
  add_no_memory(grid, hosts);
  add_states(grid, hosts);
  return grid;
}

Grid hosts_logs_grid(const Hosts& hosts) {
  Grid grid;
  grid.columns = {{"HOST", base::Align::kLeft}, {"LINES"}, {"BESIDE AVOIDABLE RESETS"}, {"OTHER RESETS"}, {"NO RESET"}};
  for (const Host& host : hosts.hosts) {
    const report::LogsReport& logs = host.report.logs;
    if (logs.logs.empty()) continue;
    std::vector<std::string> row = {host.name, grouped(report::sum(logs.lines))};
    for (const std::uint64_t lines : logs.lines) row.push_back(logs.resets_known ? grouped(lines) : "-");
    grid.rows.push_back(std::move(row));
  }
  return grid;
}

Grid services_grid(const Hosts& hosts) {
  Grid grid;
  grid.columns = {{"SERVICE", base::Align::kLeft},
                  {"HOST", base::Align::kLeft},
                  {"CREATED"},
                  {"OVERFLOW"},
                  {"BEFORE START"},
                  {"OF ALL"}};
  model::Counters sum;
  for (const ServicePart& service : hosts.services) sum += service.all.counts;
  const std::vector<HarmColumn> harm = harm_columns(sum);
  for (const HarmColumn& column : harm) grid.columns.push_back({column.title});
  const std::vector<std::size_t> shown = shown_rows(
      hosts.services.size(), kServicesShown, harm.size(),
      [&](std::size_t row, std::size_t column) { return hosts.services[row].all.counts.*harm[column].count; });
  for (const std::size_t i : shown) {
    const ServicePart& service = hosts.services[i];
    const bool several = service.hosts.size() > 1;
    const std::string where =
        several ? fmt::format("{} hosts", service.hosts.size()) : hosts.hosts[service.hosts.front().host].name;
    grid.rows.push_back(counts_row(service_name(service), where, service.all, harm));
    if (!several) continue;
    const std::size_t hosts_shown = std::min(kHostsOfService, service.hosts.size());
    for (std::size_t k = 0; k < hosts_shown; ++k) {
      const ServicePart::OnHost& on_host = service.hosts[k];
      grid.rows.push_back(counts_row("", hosts.hosts[on_host.host].name, on_host.counts, harm));
    }
    if (hosts_shown < service.hosts.size())
      add_words(grid, 1, fmt::format("+{} more", service.hosts.size() - hosts_shown));
  }
  if (shown.size() < hosts.services.size())
    add_words(grid, 0, fmt::format("+{} more services", hosts.services.size() - shown.size()));
  return grid;
}

std::vector<std::string> hosts_finding_lines(const Hosts& hosts) {
  struct Line {
    report::Severity severity;
    std::string text;
  };
  std::vector<Line> found;
  for (const Host& host : hosts.hosts) {
    for (const report::Finding& finding : host.report.findings) {
      found.push_back({finding.severity, fmt::format("{}: {}: {} [{}]", host.name, to_string(finding.severity),
                                                     finding.text, finding.id)});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Line& left, const Line& right) { return left.severity < right.severity; });
  std::vector<std::string> lines;
  std::transform(found.begin(), found.end(), std::back_inserter(lines),
                 [](Line& line) { return std::move(line.text); });
  cut(lines, "findings");
  return lines;
}

std::string hosts_hint(const Hosts& hosts) {
  return "The whole report of one host, with what to change: twtrace report " +
         base::shell_word(hosts.hosts.front().file);
}

}  // namespace twtrace::output
