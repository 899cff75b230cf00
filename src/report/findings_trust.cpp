// SPDX-License-Identifier: Apache-2.0
// Findings about listen queues, and about the capture itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/format.hpp"
#include "phrases/losses.hpp"
#include "report/finding_words.hpp"
#include "report/findings.hpp"

namespace twtrace::report {
namespace {

std::string known(const std::optional<std::uint64_t>& value) { return value ? base::grouped(*value) : "unknown"; }

/// Twice the queue length, but never less than the kernel's default since 5.4.
std::uint64_t longer(const std::optional<std::uint64_t>& now) {
  constexpr std::uint64_t kDefaultSomaxconn = 4096;
  return std::max(now.value_or(0) * 2, kDefaultSomaxconn);
}

bool has_missed(const NetnsReport& netns) {
  return netns.last.missed.created.value_or(0) != 0 || netns.last.missed.overflow.value_or(0) != 0;
}

/// `others`: how many namespaces more have missed something.
void missed(const NetnsReport& netns, std::size_t others, Findings& out) {
  const std::uint64_t created = netns.last.missed.created.value_or(0);
  const std::uint64_t overflow = netns.last.missed.overflow.value_or(0);
  Finding finding;
  finding.id = "missed";
  finding.severity = Severity::kWarning;
  finding.text = fmt::format("{}: the kernel counted {} created and {} refused that no program of twtrace saw",
                             title(netns.last), base::grouped(created), base::grouped(overflow));
  finding.evidence.push_back(fmt::format("counted here: {} created, {} refused; their owners are exact",
                                         base::grouped(netns.last.counts.created()),
                                         base::grouped(netns.last.counts.refused())));
  if (others > 0) finding.evidence.push_back(fmt::format("and the same in {} more namespaces", base::grouped(others)));
  finding.command = in_namespace(netns.last, "nstat -az TcpExtTW TcpExtTWKilled TcpExtTCPTimeWaitOverflow");
  finding.change = "capture again with another backend (--probe), and compare";
  finding.risk = "none";
  finding.avoid = "do not take the shares in this report as shares of everything";
  out.push_back(std::move(finding));
}

}  // namespace

void listen_queues(const Report& report, Findings& out) {
  std::size_t told = 0;
  for (const NetnsReport& netns : report.namespaces) {
    const std::uint64_t overflows = netns.last.kernel.listen_overflows.value_or(0);
    const std::uint64_t drops = netns.last.kernel.listen_drops.value_or(0);
    if (overflows == 0 && drops == 0) continue;
    if (++told > kNamespacesTold) return;
    const model::NetnsSettings settings = netns.at_end.value_or(netns.at_start.value_or(model::NetnsSettings{}));
    const phrases::Place place = place_of(netns.last.name, netns.last.gone);
    Finding finding;
    finding.id = "listen-queue";
    finding.severity = overflows != 0 ? Severity::kCritical : Severity::kWarning;
    finding.text = overflows != 0 ? fmt::format("{}: an accept queue was full {} times during the capture",
                                                title(netns.last), base::grouped(overflows))
                                  : fmt::format(
                                        "{}: {} connection attempts were dropped during the capture, though no accept "
                                        "queue was full",
                                        title(netns.last), base::grouped(drops));
    finding.evidence.push_back(fmt::format("TcpExtListenOverflows +{}, TcpExtListenDrops +{}", base::grouped(overflows),
                                           base::grouped(drops)));
    finding.evidence.push_back(fmt::format("net.core.somaxconn {}, net.ipv4.tcp_max_syn_backlog {}",
                                           known(settings.somaxconn), known(settings.syn_backlog)));
    finding.command = in_namespace(netns.last, "nstat -az TcpExtListenOverflows TcpExtListenDrops");
    if (!netns.last.gone) finding.command += "; ss -ltn shows queue (Recv-Q) and backlog (Send-Q)";
    finding.change = overflows != 0
                         ? phrases::sysctl_change(place, "net.core.somaxconn", longer(settings.somaxconn)) +
                               "; raise the backlog that the server passes to listen() as well, and restart it"
                         : phrases::sysctl_change(place, "net.ipv4.tcp_max_syn_backlog", longer(settings.syn_backlog));
    finding.risk = "a longer queue hides a server that is too slow to accept: look at that first";
    finding.avoid = "do not set tcp_abort_on_overflow: waiting clients then get resets";
    out.push_back(std::move(finding));
  }
}

void incomplete(const Report& report, Findings& out) {
  auto left = static_cast<std::size_t>(std::count_if(report.namespaces.begin(), report.namespaces.end(),
                                                     [](const auto& netns) { return has_missed(netns); }));
  std::size_t told = 0;
  for (const NetnsReport& netns : report.namespaces) {
    if (!has_missed(netns) || told == kNamespacesTold) continue;
    --left;
    missed(netns, ++told == kNamespacesTold ? left : 0, out);
  }
  if (const std::string words = phrases::loss_words(report.lost, ", "); !words.empty()) {
    Finding finding;
    finding.id = "lost";
    finding.severity = report.lost.counts != 0 ? Severity::kWarning : Severity::kNotice;
    finding.text = "some detail was lost: " + words;
    finding.evidence.emplace_back(report.lost.counts == 0 ? "every count is still exact"
                                                          : "counts are too low by these numbers");
    finding.command = "twtrace -b --json -d 1 -n 10 | jq .lost";
    finding.change = "if events were lost, capture again with a larger --ring-size";
    finding.risk = "more memory while capturing";
    finding.avoid = "if events were lost, do not count lines of twtrace events: use the tables";
    out.push_back(std::move(finding));
  }
}

}  // namespace twtrace::report
