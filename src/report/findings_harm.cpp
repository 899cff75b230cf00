// SPDX-License-Identifier: Apache-2.0
// Findings about who was hurt: resets, and connects without a port.
#include <fmt/format.h>

#include <algorithm>

#include "base/format.hpp"
#include "phrases/findings.hpp"
#include "phrases/owner.hpp"
#include "report/finding_words.hpp"
#include "report/findings.hpp"
#include "report/unseen.hpp"

namespace twtrace::report {
namespace {

using model::Counters;

/// The namespace in which most was counted.
const NetnsReport& namespace_with_most(const Report& report, CountOf count) {
  return *std::max_element(report.namespaces.begin(), report.namespaces.end(),
                           [&](const NetnsReport& left, const NetnsReport& right) {
                             return count(left.last.counts) < count(right.last.counts);
                           });
}

/// What a larger table would have changed.
std::string blame_of_table(const Report& report) {
  const std::uint64_t avoidable = report.totals.peer_resets_avoidable;
  if (avoidable == 0 && !knows_peer_resets(report)) {
    return "it is not known which of them a larger table would have avoided";
  }
  if (avoidable == 0) {
    return fmt::format("a larger table {} would have avoided none of them",
                       report.by_netns ? "in the namespaces of this report" : "here");
  }
  const bool knows_all = knows_peer_resets(report) && !report.by_netns;
  return fmt::format("a larger table here would have avoided {}{} resets", knows_all ? "" : "at least ",
                     fmt::group_digits(avoidable));
}

/// The ports taken towards the destination of a client: the fullest one on that port. Null: few, or not counted.
const PortPeak* peak_towards(const Report& report, const model::Row& client) {
  const PortPeak* fullest = nullptr;
  for (const PortPeak& peak : report.ports) {
    const model::PortUse& use = peak.use;
    if (use.netns_id != client.netns_id || use.destination.port != client.port) continue;
    if (fullest == nullptr || model::is_fuller(use.ports, fullest->use.ports)) fullest = &peak;
  }
  return fullest;
}

/// The pool of a namespace; null: it was never nearly full, or not counted.
const PortPeak* pool_of(const Report& report, const NetnsReport& netns) {
  for (const PortPeak& pool : report.port_pools) {
    if (pool.use.netns_id == netns.last.id) return &pool;
  }
  return nullptr;
}

/// A call found no local port so many times: who made it, and how many ports of the namespace there are `for_what`.
Finding no_port_finding(const char* id, const char* call, std::uint64_t times, const std::vector<const Owner*>& owners,
                        CountOf count, const NetnsReport& netns, const char* for_what) {
  Finding finding;
  finding.id = id;
  finding.severity = Severity::kCritical;
  finding.text = fmt::format("{} found no free local port {} times{}", call, fmt::group_digits(times),
                             owners.empty() ? "" : ", most often in " + phrases::owner_words(owners.front()->row));
  finding.evidence = owner_lines(owners, times, count);
  if (const std::uint64_t usable = usable_ports(netns); usable != 0) {
    finding.evidence.push_back(
        fmt::format("{} has {} ports for {}", title(netns.last), fmt::group_digits(usable), for_what));
  }
  return finding;
}

/// bind() to port 0 found no port. Which destinations it was for is not known.
void no_port_for_bind(const Report& report, std::uint64_t all, Findings& out) {
  const CountOf count = model::count_of<&Counters::no_port_bind>;
  const NetnsReport& netns = namespace_with_most(report, count);
  Finding finding = no_port_finding("no-port-bind", "bind() to port 0", all, largest(report, count), count, netns,
                                    "bind(), whatever the destination");
  if (const PortPeak* pool = pool_of(report, netns); pool != nullptr) {
    finding.evidence.push_back(fmt::format(
        "at most {} of {} were taken at one time, {} of them by bind()", fmt::group_digits(pool->use.ports.taken),
        fmt::group_digits(pool->use.ports.of), fmt::group_digits(pool->use.bound.value_or(0))));
  }
  finding.command = in_namespace(netns.last, "ss -tan | wc -l");
  advise_against_bind(finding);
  out.push_back(std::move(finding));
}

}  // namespace

void peer_resets(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&Counters::peer_resets>;
  const std::uint64_t all = report.totals.peer_resets;
  const std::uint64_t avoidable = report.totals.peer_resets_avoidable;
  if (all == 0 || report.namespaces.empty()) return;
  const NetnsReport& netns =
      namespace_with_most(report, avoidable != 0 ? model::count_of<&Counters::peer_resets_avoidable> : count);
  Finding finding;
  finding.id = "peer-resets";
  finding.severity = avoidable != 0 ? Severity::kCritical : Severity::kWarning;
  finding.text =
      fmt::format("{} that had been refused a place in the table; a place would {}",
                  all == 1 ? "1 reset went to the peer of a connection"
                           : fmt::format("{} resets went to the peers of connections", fmt::group_digits(all)),
                  all == 1           ? (avoidable == 0 ? "not have avoided it" : "have avoided it")
                  : avoidable == all ? "have avoided all of them"
                  : avoidable == 0   ? "have avoided none of them"
                                     : "have avoided " + base::grouped(avoidable));
  finding.evidence = owner_lines(largest(report, count), all, count);
  if (avoidable != all) {
    finding.evidence.push_back(fmt::format("{} answered data that came after the close, which is reset in any case",
                                           fmt::group_digits(all - avoidable)));
  }
  finding.command = in_namespace(netns.last, "nstat -az TcpOutRsts TcpExtTCPTimeWaitOverflow");
  const bool can_grow = avoidable != 0 && netns.last.limit && *netns.last.limit < phrases::kMaxLimit;
  finding.change = can_grow ? change_of_limit(report, netns)
                            : "in the application that closes first: read until the peer has closed, then close";
  finding.risk = can_grow ? "more kernel memory when the table is full, nothing else"
                          : "a peer that never closes keeps the connection: give up after a time limit";
  finding.avoid = avoidable != all ? "do not expect a larger table to avoid resets to late data" : kNeverLower;
  out.push_back(std::move(finding));
}

void resets_felt(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&Counters::resets_felt>;
  const std::uint64_t felt = report.totals.resets_felt;
  if (felt == 0 || report.namespaces.empty()) return;
  Finding finding;
  finding.id = "resets-felt";
  finding.severity = report.totals.peer_resets != 0 ? Severity::kWarning : Severity::kNotice;
  finding.text =
      fmt::format("{} of {} resets that this host received hit a socket that a process still used; {}",
                  fmt::group_digits(felt), fmt::group_digits(report.totals.resets_received), blame_of_table(report));
  finding.evidence = owner_lines(largest(report, count), felt, count);
  finding.command = in_namespace(namespace_with_most(report, count).last, "nstat -az TcpEstabResets TcpOutRsts");
  finding.change =
      "at the other end: close after the last answer was read, and drain before a restart; here: retry what is safe "
      "to repeat";
  finding.risk = "a retry of a request that is not idempotent may apply it twice";
  finding.avoid = "do not blame the table for every reset: peer_resets_avoidable counts those that it caused";
  out.push_back(std::move(finding));
}

void aborts(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&Counters::resets_aborted>;
  const auto owners = largest(report, count);
  if (owners.empty() || count(owners.front()->row.counts) < kAbortsLeast) return;
  const Owner& most = *owners.front();
  Finding finding;
  finding.id = "aborts";
  finding.severity = Severity::kWarning;
  finding.text = fmt::format("{} ended {} connections with a reset", phrases::owner_words(most.row),
                             fmt::group_digits(count(most.row.counts)));
  finding.evidence = owner_lines(owners, report.totals.resets_aborted, count);
  finding.command = strace_words("close,shutdown,setsockopt", most.row);
  finding.change =
      "in the application: read until the peer has closed before close(), and do not set SO_LINGER with a time of 0";
  finding.risk = "each connection that it then closes first leaves a bucket for 60 s";
  finding.avoid = "do not reset connections to avoid TIME_WAIT: the peer loses what it has not read yet";
  out.push_back(std::move(finding));
}

void no_port(const Report& report, Findings& out) {
  const std::uint64_t binds = report.totals.no_port_bind;
  const CountOf count = model::count_of<&Counters::no_port_connect>;
  const std::uint64_t all = report.totals.no_port_connect();
  if (binds != 0 && !report.namespaces.empty()) no_port_for_bind(report, binds, out);
  if (all == 0 || report.namespaces.empty()) return;
  const NetnsReport& netns = namespace_with_most(report, count);
  const auto owners = largest(report, count);
  const std::uint64_t usable = usable_ports(netns);
  Finding finding =
      no_port_finding("no-port", "connect()", all, owners, count, netns, "connections to one destination");
  const auto here = std::find_if(owners.begin(), owners.end(),
                                 [&](const Owner* owner) { return owner->row.netns_id == netns.last.id; });
  const bool one_port = here != owners.end() && (*here)->row.port;
  finding.command = in_namespace(
      netns.last, one_port ? fmt::format("ss -tan 'dport = :{}' | wc -l", *(*here)->row.port) : "ss -tan | wc -l");
  const PortPeak* const peak = one_port ? peak_towards(report, (*here)->row) : nullptr;
  if (peak != nullptr && peak->use.own) {
    finding.evidence.push_back(fmt::format("towards {} at most {} of {} {}, {} to {}, were taken",
                                           peak->use.destination.address, fmt::group_digits(peak->use.ports.taken),
                                           fmt::group_digits(peak->use.ports.of), kOwnRange, peak->use.own->first,
                                           peak->use.own->last));
    advise_wider_range(finding);
    out.push_back(std::move(finding));
    return;
  }
  const PortPeak* const pool = peak == nullptr ? pool_of(report, netns) : nullptr;
  if (pool != nullptr) {
    finding.evidence.push_back(fmt::format("bind() had taken {} of {}: connect() can choose these for no destination",
                                           fmt::group_digits(pool->use.bound.value_or(0)),
                                           fmt::group_digits(pool->use.ports.of)));
  }
  const PortPeak* const counted = peak == nullptr ? pool : peak;
  const model::Use taken = counted == nullptr ? model::Use{} : counted->use.for_connect();
  const bool mostly_free = counted == nullptr ? report.ports_counted : taken.taken * 2 < taken.of;
  if (pool != nullptr && !mostly_free) {
    advise_against_bind(finding);
    out.push_back(std::move(finding));
    return;
  }
  if (one_port && usable != 0 && mostly_free) {
    finding.evidence.emplace_back(
        "most of these were free whenever they were counted: either the connections were too short for that, or the "
        "client has a smaller range of its own (IP_LOCAL_PORT_RANGE)");
  }
  advise_more_ports(finding, netns, usable);
  out.push_back(std::move(finding));
}

}  // namespace twtrace::report
