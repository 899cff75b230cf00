// SPDX-License-Identifier: Apache-2.0
// Findings about owners.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/escape.hpp"
#include "phrases/endpoint.hpp"
#include "phrases/findings.hpp"
#include "phrases/owner.hpp"
#include "report/finding_words.hpp"
#include "report/findings.hpp"

namespace twtrace::report {
namespace {

bool are_many(const model::Use& ports) {
  return ports.of != 0 && ports.taken * 100 / ports.of >= phrases::kManyPortsPercent;
}

Severity severity_of(const model::Use& ports) {
  return ports.taken * 100 / ports.of >= kPortsCriticalPercent ? Severity::kCritical : Severity::kWarning;
}

/// Whether it is bind() that takes the ports of this destination, rather than connections to it.
bool mostly_bound(const model::PortUse& use) { return use.bound.value_or(0) != 0 && *use.bound * 2 >= use.ports.taken; }

/// The namespace; of one that the report does not have, what the peak knows.
model::NetnsRow netns_of(const Report& report, const PortPeak& peak) {
  for (const NetnsReport& known : report.namespaces) {
    if (known.last.id == peak.use.netns_id && known.last.netns == peak.use.netns) return known.last;
  }
  model::NetnsRow netns;
  netns.netns = peak.use.netns;
  netns.name = peak.netns_name;
  netns.gone = peak.netns_gone;
  return netns;
}

std::string destination_of(const PortPeak& peak) {
  return fmt::format("{} port {}", peak.use.destination.address, peak.use.destination.port.value_or(0));
}

/// Null: the report does not have it.
const NetnsReport* report_of(const Report& report, std::optional<std::uint32_t> netns_id) {
  const auto found = std::find_if(report.namespaces.begin(), report.namespaces.end(),
                                  [&](const NetnsReport& netns) { return netns.last.id == netns_id; });
  return found == report.namespaces.end() ? nullptr : &*found;
}

/// Empty: not known.
model::NetnsSettings settings_of(const NetnsReport* netns) {
  return netns != nullptr ? netns->settings().value_or(model::NetnsSettings{}) : model::NetnsSettings{};
}

/// Values of net.ipv4.tcp_tw_reuse. The kernel reuses a bucket with kReuseOnLoopback only if an address of it is one of
/// loopback, or its socket was bound to that device (tcp_twsk_unique).
constexpr std::uint64_t kReuse = 1;
constexpr std::uint64_t kReuseOnLoopback = 2;

bool is_on_loopback(const PortPeak& peak) {
  return peak.use.destination.address == "::1" || peak.use.destination.address.starts_with("127.");
}

/// Whether the connections themselves take the ports, from the range of the namespace.
bool lacks_ports(const PortPeak& peak) { return are_many(peak.use.ports) && !mostly_bound(peak.use) && !peak.use.own; }

/// Sets what to do where connections to one destination take its ports.
void advise_reuse(Finding& finding, const Report& report, const PortPeak& peak) {
  const model::NetnsRow row = netns_of(report, peak);
  const NetnsReport* const netns = report_of(report, peak.use.netns_id);
  const model::NetnsSettings settings = settings_of(netns);
  const std::optional<std::uint64_t> advised = advised_reuse(report, peak.use.netns_id);
  const bool no_timestamps = settings.timestamps == 0U;
  if (!advised && !no_timestamps && netns != nullptr) {
    finding.evidence.push_back(
        fmt::format("tcp_tw_reuse is {} already: a connect() reuses the port of a bucket that is older than a second",
                    *settings.tw_reuse));
    advise_more_ports(finding, *netns, usable_ports(*netns));
    return;
  }
  finding.change = "in the client: " + phrases::role_remedy(model::Role::kClient) + "; until then ";
  const std::uint64_t value = advised.value_or(settings.tw_reuse.value_or(kReuse));
  if (advised) finding.change += phrases::sysctl_change(place_of(row), "net.ipv4.tcp_tw_reuse", value);
  if (advised && no_timestamps) finding.change += ", together with ";
  if (no_timestamps) finding.change += phrases::sysctl_change(place_of(row), "net.ipv4.tcp_timestamps", 1);
  finding.risk = fmt::format("tcp_tw_reuse={} reuses a port{} after one second, and needs TCP timestamps at both ends",
                             value, value == kReuseOnLoopback ? " on loopback" : "");
  finding.avoid = "do not bind() to a port before connect() without IP_BIND_ADDRESS_NO_PORT; never tcp_tw_recycle";
}

}  // namespace

std::optional<std::uint64_t> advised_reuse(const Report& report, std::optional<std::uint32_t> netns_id) {
  std::optional<std::uint64_t> value;
  std::size_t told = 0;
  for (const PortPeak& peak : report.ports) {
    if (!are_many(peak.use.ports)) continue;
    if (++told > kOwnersTold) break;
    if (peak.use.netns_id != netns_id || !lacks_ports(peak)) continue;
    value = std::min(value.value_or(kReuseOnLoopback), is_on_loopback(peak) ? kReuseOnLoopback : kReuse);
  }
  const auto now = settings_of(report_of(report, netns_id)).tw_reuse;
  return now == kReuse || now == value ? std::nullopt : value;
}

void refused(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&model::Counters::overflow>;
  const std::uint64_t missed = missed_refused(report);
  const std::uint64_t all = report.totals.overflow() + missed;
  const auto owners = largest(report, count);
  if (owners.empty()) return;
  const Owner& most = *owners.front();
  Finding finding;
  finding.id = "refused";
  finding.severity = report.totals.overflow_fin_wait2 != 0 ? Severity::kCritical : Severity::kWarning;
  finding.text = fmt::format("{} closed first and was refused a place {} times ({} of all refusals)",
                             phrases::owner_words(most.row), fmt::group_digits(count(most.row.counts)),
                             percent(static_cast<double>(count(most.row.counts)) / static_cast<double>(all)));
  finding.evidence = owner_lines(owners, all, count);
  if (missed != 0) {
    finding.evidence.push_back(fmt::format("{} ({}): not known, because no BPF program saw them",
                                           fmt::group_digits(missed),
                                           percent(static_cast<double>(missed) / static_cast<double>(all))));
  }
  if (report.totals.overflow_fin_wait2 != 0) {
    finding.evidence.push_back(
        fmt::format("{} at the FIN_WAIT2 stage: peers that then close or send get a reset{}",
                    fmt::group_digits(report.totals.overflow_fin_wait2),
                    report.info.probe.sees.resets_sent
                        ? fmt::format("; so far {} got one", fmt::group_digits(report.totals.peer_resets))
                        : ""));
  }
  finding.command = "twtrace -b -s overflow, or twtrace events while it happens";
  const Remedy to_do = remedy(report, most);
  finding.change = to_do.change;
  finding.risk = to_do.risk;
  finding.avoid = "never lower tcp_max_tw_buckets to get rid of TIME_WAIT: more would be refused";
  out.push_back(std::move(finding));
}

void no_memory(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&model::Counters::no_memory>;
  if (report.totals.no_memory == 0) return;
  Finding finding;
  finding.id = "no-memory";
  finding.severity = Severity::kCritical;
  finding.text = fmt::format("{} buckets could not be allocated: the kernel was out of memory",
                             fmt::group_digits(report.totals.no_memory));
  finding.evidence = owner_lines(largest(report, count), report.totals.no_memory, count);
  finding.command = "grep -E 'MemFree|MemAvailable|^Slab' /proc/meminfo";
  finding.change = "free or add memory; a larger table does not help";
  finding.risk = "none";
  finding.avoid = "do not raise tcp_max_tw_buckets for this: the table was not at its limit";
  out.push_back(std::move(finding));
}

using NetnsKey = std::pair<std::uint32_t, std::uint32_t>;  ///< its id, and its inode number

/// The buckets of every namespace that were there when the capture began.
std::map<NetnsKey, std::uint64_t> before_start(const Report& report) {
  std::map<NetnsKey, std::uint64_t> sums;
  for (const Owner& owner : report.owners) {
    if (owner.before_start != 0) sums[{owner.row.netns_id, owner.row.netns.value_or(0)}] += owner.before_start;
  }
  return sums;
}

void fills_table(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&model::Counters::created>;
  std::map<NetnsKey, std::vector<const Owner*>> by_netns;  // the largest first
  for (const Owner* owner : largest(report, count)) {
    by_netns[{owner->row.netns_id, owner->row.netns.value_or(0)}].push_back(owner);
  }
  std::map<NetnsKey, std::uint64_t> older = before_start(report);
  std::size_t told = 0;
  for (const NetnsReport& netns : report.namespaces) {
    if (!nearly_full(netns) || netns.last.counts.created() == 0 || told == kNamespacesTold) continue;
    const NetnsKey key(netns.last.id, netns.last.netns);
    const std::vector<const Owner*>& owners = by_netns[key];
    const std::uint64_t all = netns.last.counts.created() + netns.last.missed.created.value_or(0) + older[key];
    const auto most = std::find_if(owners.begin(), owners.end(), [](const Owner* owner) { return owner->row.role; });
    if (most == owners.end()) continue;
    const double share = static_cast<double>(count((*most)->row.counts)) / static_cast<double>(all);
    if (share < phrases::kLargeShareOfTable) continue;
    ++told;
    Finding finding;
    finding.id = "fills-table";
    finding.severity = Severity::kWarning;
    // One that ended at once, or was drained, may have had all these connections open.
    const bool one_by_one =
        (*most)->row.role == model::Role::kClient && !ended_at_once(**most) && (*most)->quiet_s == 0;
    finding.text =
        fmt::format("{} created {} of all buckets in {}: it {}", phrases::owner_words((*most)->row), percent(share),
                    title(netns.last), one_by_one ? "connects for every request and closes first" : "closes first");
    finding.evidence = owner_lines(owners, all, count);
    finding.command = "twtrace -b -s created";
    const Remedy to_do = remedy(report, **most);
    finding.change = to_do.change;
    finding.risk = to_do.risk;
    finding.avoid = "do not close with a reset (SO_LINGER 0) to avoid TIME_WAIT: that discards data in flight";
    out.push_back(std::move(finding));
  }
}

/// What else than connections to this destination bind() took ports for.
std::string bound_for_others(const model::PortUse& use) {
  if (!use.bound_to || *use.bound_to >= *use.bound) return {};
  return fmt::format(
      "; {} of them for connections to other destinations, listening sockets, or sockets that are only "
      "bound",
      fmt::group_digits(*use.bound - *use.bound_to));
}

constexpr const char* kEphemeral = "ephemeral ports";

/// `text`: how much of the ports is taken. `of_what`: which ports they are.
Finding ports_finding(const model::Use& ports, std::string text, const char* of_what) {
  Finding finding;
  finding.id = "ports-taken";
  finding.severity = severity_of(ports);
  finding.text = std::move(text);
  finding.evidence.push_back(
      fmt::format("at most {} of {} {}", fmt::group_digits(ports.taken), fmt::group_digits(ports.of), of_what));
  return finding;
}

/// bind() took most ports of a namespace, and no destination shows it, because hardly anything is connected.
void ports_bound(const Report& report, Findings& out) {
  for (const PortPeak& pool : report.port_pools) {
    const model::Use ports = pool.use.for_connect();
    const bool told = std::any_of(report.ports.begin(), report.ports.end(), [&](const PortPeak& peak) {
      return peak.use.netns_id == pool.use.netns_id && are_many(peak.use.ports) && !peak.use.own;
    });
    if (told || !are_many(ports)) continue;
    const model::NetnsRow netns = netns_of(report, pool);
    Finding finding = ports_finding(ports,
                                    fmt::format("bind() took {}% of the local ports of {}: connect() can choose these "
                                                "for no destination, and with none left it fails with EADDRNOTAVAIL",
                                                ports.taken * 100 / ports.of, title(netns)),
                                    kEphemeral);
    finding.evidence.emplace_back(
        "few of these sockets are connected: they listen, or they are only bound (ss --bound-inactive shows those "
        "since Linux 6.8)");
    finding.command = in_namespace(netns, "ss -Htanp --bound-inactive | wc -l");
    advise_against_bind(finding);
    out.push_back(std::move(finding));
    return;
  }
}

void ports_taken(const Report& report, Findings& out) {
  ports_bound(report, out);
  std::size_t told = 0;
  for (const PortPeak& peak : report.ports) {
    const model::Use& ports = peak.use.ports;
    if (!are_many(ports)) continue;
    if (++told > kOwnersTold) return;
    const model::NetnsRow netns = netns_of(report, peak);
    const std::string range = peak.use.own ? fmt::format(" {} to {}", peak.use.own->first, peak.use.own->last) : "";
    Finding finding = ports_finding(
        ports,
        fmt::format("{}% of the local ports{} towards {} were taken; with none left connect() fails with EADDRNOTAVAIL",
                    ports.taken * 100 / ports.of, range, destination_of(peak)),
        peak.use.own ? kOwnRange : kEphemeral);
    if (peak.use.bound.value_or(0) != 0) {
      finding.evidence.push_back(
          fmt::format("bind() took {} of them: connect() cannot choose these, whatever the destination{}",
                      fmt::group_digits(*peak.use.bound), bound_for_others(peak.use)));
    }
    if (peak.use.outside.value_or(0) != 0) {
      finding.evidence.push_back(fmt::format(
          "{} more outside of ip_local_port_range: clients took them with bind(), or before it was narrowed",
          fmt::group_digits(*peak.use.outside)));
    }
    if (peak.owner) {
      finding.evidence.push_back(fmt::format("{} buckets towards it belong to {}", fmt::group_digits(peak.created),
                                             phrases::owner_words(report.owners[*peak.owner].row)));
    }
    const model::Peer& to = peak.use.destination;
    const std::string remote = phrases::endpoint_words(to.address, to.port.value_or(0));
    finding.command = in_namespace(netns, "ss -Htan dst " + base::shell_word(remote) + " | wc -l");
    if (mostly_bound(peak.use)) {
      advise_against_bind(finding);
      out.push_back(std::move(finding));
      continue;
    }
    if (peak.use.own) {
      advise_wider_range(finding);
      out.push_back(std::move(finding));
      continue;
    }
    advise_reuse(finding, report, peak);
    out.push_back(std::move(finding));
  }
}

void bind_before_connect(const Report& report, Findings& out) {
  std::map<NetnsKey, const PortPeak*> most;  // what bind() takes is taken from the whole namespace
  for (const PortPeak& peak : report.ports) {
    if (!are_many(peak.use.ports) || !mostly_bound(peak.use)) continue;
    const PortPeak*& known = most[NetnsKey(peak.use.netns_id.value_or(0), peak.use.netns)];
    if (known == nullptr || peak.use.bound_to > known->use.bound_to) known = &peak;
  }
  std::size_t told = 0;
  for (const auto& [key, peak] : most) {
    const model::PortUse& use = peak->use;
    if (use.bound_to.value_or(0) == 0) continue;  // listening sockets took them
    if (++told > kOwnersTold) return;
    // Of the connections to this destination, most have a port of bind(), so most of its buckets are of such a client.
    const bool is_named = peak->owner && *use.bound_to > use.ports.taken - *use.bound;
    const model::NetnsRow netns = netns_of(report, *peak);
    Finding finding;
    finding.id = "bind-before-connect";
    finding.severity = severity_of(use.ports);
    finding.text = fmt::format(
        "{} calls bind() before connect(): so {} of {} local ports of {} are taken for every destination at once",
        is_named ? phrases::owner_words(report.owners[*peak->owner].row) : "a client of " + destination_of(*peak),
        fmt::group_digits(*use.bound), fmt::group_digits(use.ports.of), title(netns));
    finding.evidence.push_back(
        fmt::format("{} of these ports were connected to {}", fmt::group_digits(*use.bound_to), destination_of(*peak)));
    finding.evidence.emplace_back(
        "with none left, bind() to port 0 fails with EADDRINUSE, and connect() with EADDRNOTAVAIL");
    finding.command =
        strace_words("bind,connect,setsockopt", is_named ? report.owners[*peak->owner].row : model::Row{});
    advise_against_bind(finding);
    out.push_back(std::move(finding));
  }
}

void fin_wait2_share(const Report& report, Findings& out) {
  const CountOf count = model::count_of<&model::Counters::fin_wait2>;
  const std::uint64_t all = report.totals.created() + missed_created(report);
  std::uint64_t of_ended = 0;
  for (const Owner& owner : report.owners) of_ended += fin_wait2_of_ended(owner);
  const std::uint64_t fin_wait2 = report.totals.fin_wait2 - std::min(of_ended, report.totals.fin_wait2);
  if (fin_wait2 < kFinWait2Least || static_cast<double>(fin_wait2) < kFinWait2Share * static_cast<double>(all)) return;
  Finding finding;
  finding.id = "fin-wait2-share";
  finding.severity = Severity::kWarning;
  finding.text = fmt::format("{} of all buckets began as FIN_WAIT2: the other end closed late, or never",
                             percent(static_cast<double>(fin_wait2) / static_cast<double>(all)));
  finding.evidence = owner_lines(largest(report, count), report.totals.fin_wait2, count);
  if (of_ended != 0) {
    finding.evidence.push_back(
        fmt::format("{} of these are left out of the share: their process ended, and its connections with it",
                    fmt::group_digits(of_ended)));
  }
  finding.command = "ss -tan state fin-wait-2 | wc -l";
  finding.change =
      "in the applications at the other end: close the connection when read() returns 0; look for sockets left in "
      "CLOSE_WAIT there (ss -tanp state close-wait)";
  finding.risk = "none: these connections are dead already";
  finding.avoid = "do not lower tcp_fin_timeout: peers that close later than that get a reset";
  out.push_back(std::move(finding));
}

}  // namespace twtrace::report
