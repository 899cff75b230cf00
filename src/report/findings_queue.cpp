// SPDX-License-Identifier: Apache-2.0
// Queues of listening sockets that were too short.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/format.hpp"
#include "phrases/trouble.hpp"
#include "report/finding_words.hpp"
#include "report/findings.hpp"

namespace twtrace::report {
namespace {

constexpr std::size_t kQueuesTold = 4;

std::string known(const std::optional<std::uint64_t>& value) { return value ? base::grouped(*value) : "unknown"; }

/// Twice the queue length, but never less than the kernel's default since 5.4.
std::uint64_t longer(const std::optional<std::uint64_t>& now) {
  constexpr std::uint64_t kDefaultSomaxconn = 4096;
  return std::max(now.value_or(0) * 2, kDefaultSomaxconn);
}

using phrases::queue_owner_words;

/// Most drops first.
std::vector<const model::ListenQueue*> queues_of(const Report& report, const NetnsReport& netns) {
  std::vector<const model::ListenQueue*> queues;
  for (const model::ListenQueue& queue : report.queues) {
    if (queue.netns_id == netns.last.id) queues.push_back(&queue);
  }
  return queues;
}

/// The limit of a queue is the smaller of what the program asks listen() for, and somaxconn.
std::string longer_queue(const model::ListenQueue& queue, const phrases::Place& place,
                         const std::optional<std::uint64_t>& somaxconn) {
  const std::uint64_t limit = queue.queue.of;
  if (somaxconn && limit < *somaxconn) {
    return fmt::format(
        "raise the backlog that {} passes to listen(), which is {} (nginx: listen ... backlog=, Redis: tcp-backlog, "
        "systemd: Backlog=), and restart it; net.core.somaxconn allows up to {}",
        queue_owner_words(queue), fmt::group_digits(limit), fmt::group_digits(*somaxconn));
  }
  return phrases::sysctl_change(place, "net.core.somaxconn", longer(somaxconn ? somaxconn : limit)) +
         fmt::format(
             "; it limits the queue of {} to {}; raise the backlog that the application passes to listen() as well, "
             "and restart it",
             queue_owner_words(queue), fmt::group_digits(limit));
}

}  // namespace

void listen_queues(const Report& report, Findings& out) {
  std::size_t told = 0;
  for (const NetnsReport& netns : report.namespaces) {
    const std::uint64_t overflows = netns.last.kernel.listen_overflows.value_or(0);
    const std::uint64_t drops = netns.last.kernel.listen_drops.value_or(0);
    if (overflows == 0 && drops == 0) continue;
    if (++told > kNamespacesTold) return;
    const auto queues = queues_of(report, netns);
    const model::NetnsSettings settings = netns.settings().value_or(model::NetnsSettings{});
    const phrases::Place place = place_of(netns.last);
    Finding finding;
    finding.id = "listen-queue";
    finding.severity = overflows != 0 ? Severity::kCritical : Severity::kWarning;
    if (!queues.empty()) {
      finding.text = fmt::format("{}: {} dropped {} connection attempts; {}", title(netns.last),
                                 queue_owner_words(*queues.front()), fmt::group_digits(queues.front()->drops),
                                 overflows != 0 ? "its accept queue was full, " + phrases::queue_words(*queues.front())
                                                : "no accept queue was full");
    } else if (overflows != 0) {
      finding.text = fmt::format("{}: an accept queue was full {} times during the capture", title(netns.last),
                                 fmt::group_digits(overflows));
    } else {
      finding.text =
          fmt::format("{}: {} connection attempts were dropped during the capture, though no accept queue was full",
                      title(netns.last), fmt::group_digits(drops));
    }
    finding.evidence.push_back(fmt::format("TcpExtListenOverflows +{}, TcpExtListenDrops +{}",
                                           fmt::group_digits(overflows), fmt::group_digits(drops)));
    finding.evidence.push_back(fmt::format("net.core.somaxconn {}, net.ipv4.tcp_max_syn_backlog {}",
                                           known(settings.somaxconn), known(settings.syn_backlog)));
    for (std::size_t i = 0; i < std::min(queues.size(), kQueuesTold); ++i) {
      finding.evidence.push_back(fmt::format("{}: {} dropped, longest {}", queue_owner_words(*queues[i]),
                                             fmt::group_digits(queues[i]->drops), phrases::queue_words(*queues[i])));
    }
    if (queues.size() > kQueuesTold) {
      finding.evidence.push_back(fmt::format("and {} more queues", queues.size() - kQueuesTold));
    }
    if (const std::uint64_t unseen = netns.last.missed.queue_drops.value_or(0); unseen != 0) {
      finding.evidence.push_back(fmt::format("{} were dropped by sockets that are not known: no BPF program saw them",
                                             fmt::group_digits(unseen)));
    }
    finding.command = in_namespace(netns.last, "nstat -az TcpExtListenOverflows TcpExtListenDrops");
    if (!netns.last.gone) finding.command += "; ss -ltn shows queue (Recv-Q) and backlog (Send-Q)";
    if (overflows == 0) {
      finding.change = phrases::sysctl_change(place, "net.ipv4.tcp_max_syn_backlog", longer(settings.syn_backlog));
    } else if (!queues.empty()) {
      finding.change = longer_queue(*queues.front(), place, settings.somaxconn);
    } else {
      finding.change = phrases::sysctl_change(place, "net.core.somaxconn", longer(settings.somaxconn)) +
                       "; raise the backlog that the server passes to listen() as well, and restart it";
    }
    finding.risk = "a longer queue hides a server that is too slow to accept: look at that first";
    finding.avoid = "do not set tcp_abort_on_overflow: waiting clients then get resets";
    out.push_back(std::move(finding));
  }
}

}  // namespace twtrace::report
