// SPDX-License-Identifier: Apache-2.0
#include "output/doctor_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {
namespace {

constexpr std::size_t kLabelColumns = 22;
constexpr std::size_t kCheckColumns = 17;

std::string fact(const std::string& label, const std::string& value) {
  return base::pad(label, kLabelColumns, base::Align::kLeft) +
         wrapped(base::sanitize_terminal(value), kLabelColumns, kLabelColumns);
}

/// "  fentry            no   why". The reason continues below itself.
std::string checks(const char* heading, const std::vector<model::DoctorCheck>& all, Color color) {
  std::string out = fmt::format("\n{}\n", heading);
  for (const model::DoctorCheck& check : all) {
    const std::string detail = base::sanitize_terminal(check.detail);
    out += "  " + base::pad(base::sanitize_terminal(check.name), kLabelColumns - 2, base::Align::kLeft);
    out += check.ok ? "yes" : alarm("no", color) + (detail.empty() ? "" : " ");
    if (detail.empty()) {
      out += '\n';
    } else {
      out += "  " + wrapped(detail, kLabelColumns + 5, kLabelColumns + 5);
    }
  }
  return out;
}

std::string number(const std::optional<std::uint64_t>& value) { return value ? base::grouped(*value) : "-"; }

std::string netns_line(const std::array<std::string, 8>& cells) {
  constexpr std::array<std::size_t, 8> kColumns = {kCheckColumns, 10, 11, 9, 4, 10, 3, 5};
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto align = i == 0 ? base::Align::kLeft : base::Align::kRight;
    line += (i == 0 ? "" : " ") + base::pad(cells[i], kColumns[i], align);
  }
  return line + "\n";
}

std::string namespaces(const std::vector<model::DoctorNetns>& all) {
  std::string out =
      "\nNetwork namespaces, worst first\n"
      "(OVERFLOW: refused since the namespace was created; FIN: tcp_fin_timeout in s)\n";
  out += netns_line({"NETNS", "INODE", "LIMIT", "IN USE", "FULL", "OVERFLOW", "FIN", "REUSE"});
  for (const model::DoctorNetns& netns : all) {
    const auto percent = model::percent_full(netns);
    out += netns_line({netns.name.empty() ? "-" : base::sanitize_terminal(netns.name), std::to_string(netns.netns),
                       number(netns.limit), number(netns.in_use), percent ? fmt::format("{}%", *percent) : "-",
                       number(netns.overflow), number(netns.fin_timeout_s), number(netns.tw_reuse)});
  }
  if (all.empty()) out += "  (none could be read)\n";
  return out;
}

bool all_read(const std::vector<model::DoctorNetns>& namespaces) {
  return !namespaces.empty() && std::all_of(namespaces.begin(), namespaces.end(), [](const model::DoctorNetns& netns) {
    return netns.limit && netns.overflow;
  });
}

std::string warnings(const model::DoctorReport& report, Color color) {
  const std::vector<model::DoctorWarning>& all = report.warnings;
  if (all.empty()) {
    return all_read(report.namespaces) ? "\nNothing to complain about in this host's settings.\n"
                                       : "\nNothing to complain about in what could be read.\n";
  }
  std::string out = fmt::format("\nWarnings ({})\n", all.size());
  for (const model::DoctorWarning& warning : all) {
    out += alarm("!", color) + " " + wrapped(base::sanitize_terminal(warning.text), 2, 2);
    out += "  change: " + base::sanitize_terminal(warning.change) + "\n";
  }
  return out + "twtrace changes nothing by itself.\n";
}

std::string statistics_words(const std::optional<bool>& enabled) {
  if (!enabled) return "unknown";
  return *enabled ? "on" : "off (set it to 1 to see what the BPF programs cost)";
}

}  // namespace

std::string doctor_text(const model::DoctorReport& report, Color color) {
  const std::string backend = report.backend.empty() ? alarm("none: twtrace cannot run here", color) : report.backend;
  const std::string hierarchy = report.cgroup_hierarchy.empty()
                                    ? "none is mounted: services are named as the kernel records them"
                                    : report.cgroup_hierarchy + " at " + report.cgroup_mount;
  std::string out = fact("kernel", report.host.kernel);
  out += fact("kernel BTF", report.btf.empty() ? "no" : "yes: " + report.btf);
  out += base::pad("backend in use", kLabelColumns, base::Align::kLeft) + backend + "\n";
  out += fact("lockdown", report.lockdown.empty() ? "unknown" : report.lockdown);
  out += fact("cgroup hierarchy", hierarchy);
  out += fact("bpf_stats_enabled", statistics_words(report.bpf_stats_enabled));
  out += checks("Backends, best first", report.backends, color);
  out += checks("Features", report.features, color);
  out += checks("Effective capabilities", report.capabilities, color);
  out += namespaces(report.namespaces);
  return out + warnings(report, color);
}

}  // namespace twtrace::output
