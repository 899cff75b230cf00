// SPDX-License-Identifier: Apache-2.0
// Findings about the capture itself.
#include <fmt/format.h>

#include <algorithm>

#include "phrases/losses.hpp"
#include "report/finding_words.hpp"
#include "report/findings.hpp"

namespace twtrace::report {
namespace {

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
  finding.text = fmt::format("{}: the kernel counted {} created and {} refused that no BPF program of twtrace saw",
                             title(netns.last), fmt::group_digits(created), fmt::group_digits(overflow));
  finding.evidence.push_back(fmt::format("counted here: {} created, {} refused; their owners are exact",
                                         fmt::group_digits(netns.last.counts.created()),
                                         fmt::group_digits(netns.last.counts.refused())));
  if (others > 0)
    finding.evidence.push_back(fmt::format("and the same in {} more namespaces", fmt::group_digits(others)));
  finding.command = in_namespace(netns.last, "nstat -az TcpExtTW TcpExtTWKilled TcpExtTCPTimeWaitOverflow");
  finding.change = "capture again with another backend (--probe), and compare";
  finding.risk = "none";
  finding.avoid = "do not take the shares in this report as shares of everything";
  out.push_back(std::move(finding));
}

}  // namespace

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
