// SPDX-License-Identifier: Apache-2.0
#include "report/finding_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "phrases/findings.hpp"
#include "phrases/namespace.hpp"
#include "phrases/owner.hpp"
#include "report/findings.hpp"

namespace twtrace::report {
namespace {

constexpr const char* kHost = "host";  // NetnsRow::name of the namespace of pid 1

/// ip_local_port_range cannot begin lower without privileged ports, nor end higher.
constexpr const char* kWidestPorts = "1024 65535";
constexpr std::uint64_t kWidestPortsCount = 65535 - 1024 + 1;

/// The mount that `ip netns` makes. Empty for a namespace without a name of its own: only a process leads into it.
std::string mount_of(const model::NetnsRow& netns) {
  return netns.name.empty() || netns.is_container ? std::string() : "/run/netns/" + netns.name;
}

}  // namespace

phrases::Place place_of(const model::NetnsRow& netns) {
  if (netns.name == kHost) return {true, 1, "/proc/1/ns/net"};
  return {false, std::nullopt, mount_of(netns), netns.gone};
}

std::string in_namespace(const model::NetnsRow& netns, const std::string& command) {
  if (netns.name == kHost) return command;
  if (netns.gone) return "none: the namespace is gone, only this capture still tells";
  const std::string mount = mount_of(netns);
  const std::string entry = mount.empty() ? "/proc/PID/ns/net" : base::shell_word(mount);
  const std::string pid = mount.empty() ? "; PID: lsns -t net shows it for " + std::to_string(netns.netns) : "";
  return "nsenter --net=" + entry + " " + command + pid;
}

std::string title(const model::NetnsRow& netns) { return "netns " + phrases::netns_words(netns.netns, netns.name); }

std::string limits_seen(const NetnsReport& netns) {
  std::string text;
  std::optional<std::uint64_t> before;
  for (const TimelinePoint& point : netns.timeline) {
    if (!point.limit || point.limit == before) continue;
    text += (text.empty() ? "" : ", then ") + base::grouped(*point.limit);
    before = point.limit;
  }
  return text;
}

std::string truncated_percent(double percent) { return fmt::format("{:.0f}%", std::floor(percent)); }

std::string percent(double share) { return truncated_percent(share * 100); }

std::vector<const Owner*> largest(const Report& report, CountOf count) {
  std::vector<const Owner*> owners;
  for (const Owner& owner : report.owners) {
    if (count(owner.row.counts) != 0) owners.push_back(&owner);
  }
  std::stable_sort(owners.begin(), owners.end(), [&](const Owner* left, const Owner* right) {
    return count(left->row.counts) > count(right->row.counts);
  });
  return owners;
}

std::vector<std::string> owner_lines(const std::vector<const Owner*>& owners, std::uint64_t all, CountOf count) {
  std::vector<std::string> text;
  for (std::size_t i = 0; i < std::min(owners.size(), kOwnersTold); ++i) {
    const std::uint64_t part = count(owners[i]->row.counts);
    const double share = all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
    text.push_back(
        fmt::format("{} ({}): {}", fmt::group_digits(part), percent(share), phrases::owner_words(owners[i]->row)));
  }
  if (owners.size() > kOwnersTold) text.push_back(fmt::format("and {} more", owners.size() - kOwnersTold));
  return text;
}

namespace {

/// True if the program runs again: a process of the same name and service lives.
bool came_back(const Report& report, const model::Row& ended) {
  return std::any_of(report.owners.begin(), report.owners.end(), [&](const Owner& owner) {
    const model::Row& row = owner.row;
    return row.process && !row.process->exited && row.process->comm == ended.process->comm &&
           row.shown_service() == ended.shown_service();
  });
}

/// True if the process is also a server, as a proxy is.
bool also_serves(const Report& report, const model::Row& row) {
  return std::any_of(report.owners.begin(), report.owners.end(), [&](const Owner& owner) {
    const model::Row& other = owner.row;
    return other.role == model::Role::kServer && other.process && row.process->pid && other.netns_id == row.netns_id &&
           other.process->pid == row.process->pid && other.process->comm == row.process->comm;
  });
}

/// True if `count` buckets of the owner's ended processes may have come at their end: many for each process, and not
/// too many for one burst.
bool may_be_burst_of_ended(const Owner& owner, std::uint64_t count) {
  return count >= kConnectionsOfOne * std::max(owner.row.ended.pids, 1U) &&
         count <= kRestartBurst * owner.busiest_arrivals;
}

/// True if twtrace knows that no peer sent data to a connection that was closed already, and that no peer was reset for
/// want of a place: the connections were idle, or had been drained.
bool nobody_was_reset(const Report& report) {
  return report.info.probe.sees.resets_sent && report.totals.peer_resets == 0 && report.totals.resets_late == 0;
}

/// How the connections of a restarted owner ended.
std::string exit_words(const Owner& owner) {
  return owner.row.ended.pids > 1 ? "the processes exited and closed all their connections at once"
                                  : "the process exited and closed all its connections at once";
}

}  // namespace

bool ended_at_once(const Owner& owner) {
  const std::uint64_t closed = owner.row.counts.created() + owner.row.counts.refused();
  return owner.row.ended.closed * 2 > closed && may_be_burst_of_ended(owner, owner.row.ended.closed);
}

std::uint64_t fin_wait2_of_ended(const Owner& owner) {
  const std::uint64_t count = owner.row.ended.fin_wait2;
  return may_be_burst_of_ended(owner, count) ? count : 0;
}

bool was_restarted(const Report& report, const Owner& owner) {
  if (!ended_at_once(owner)) return false;
  // A client that ended has most likely done its work, unless it is the client of a server that ended.
  return owner.row.role == model::Role::kServer || (owner.row.process && !owner.row.process->exited) ||
         also_serves(report, owner.row) || came_back(report, owner.row);
}

Remedy remedy(const Report& report, const Owner& owner) {
  if (!owner.row.role) return {"find out who it is first: twtrace -g pid shows every process", "none: this only looks"};
  if (was_restarted(report, owner) && nobody_was_reset(report)) {
    return {exit_words(owner) +
                ", and no peer was reset: restart one instance at a time, and let clients reconnect after a "
                "random delay",
            "a restart of all instances takes longer"};
  }
  if (was_restarted(report, owner)) {
    return {exit_words(owner) +
                ": let connections finish (drain) before a restart, restart one instance at a time, and let clients "
                "reconnect after a random delay",
            "a restart then waits for the slowest connection: give it a time limit"};
  }
  constexpr const char* kRiskOfIdle = "idle connections hold sockets: cap the pool and set an idle timeout";
  if (owner.row.role == model::Role::kClient && ended_at_once(owner)) {
    return {"the process has ended; wherever it runs next, " + phrases::role_remedy(model::Role::kClient) +
                "; if it was stopped or drained while many were open, stop a few instances at a time",
            kRiskOfIdle};
  }
  const std::string where = owner.row.role == model::Role::kClient ? "in the client: " : "in the server: ";
  const bool lives = owner.row.process && !owner.row.process->exited;
  if (owner.quiet_s != 0 && lives) {
    return {fmt::format("it closed nothing in the last {} s: if it was drained, close a few connections at a time; if "
                        "not, {}{}",
                        owner.quiet_s, where, phrases::role_remedy(*owner.row.role)),
            kRiskOfIdle};
  }
  return {where + phrases::role_remedy(*owner.row.role), kRiskOfIdle};
}

std::string strace_words(const std::string& calls, const model::Row& owner) {
  const std::string trace = "strace -f -e trace=" + calls;
  if (!owner.process || !owner.process->pid) return trace + " -p PID";
  if (owner.process->exited) return trace + " PROGRAM, when it runs again: it has ended";
  return trace + fmt::format(" -p {}", *owner.process->pid);
}

std::uint64_t usable_ports(const NetnsReport& netns) {
  return netns.settings() ? netns.settings()->ephemeral_ports.value_or(0) : 0;
}

void advise_more_ports(Finding& finding, const NetnsReport& netns, std::uint64_t usable) {
  finding.change = "in the client: " + phrases::role_remedy(model::Role::kClient) + "; until then " +
                   (usable < kWidestPortsCount
                        ? phrases::sysctl_change(place_of(netns.last), "net.ipv4.ip_local_port_range", kWidestPorts)
                        : "give the client or the server more addresses: each pair has all ports to itself");
  finding.risk =
      "a server may find its port taken by a connection: put such ports into net.ipv4.ip_local_reserved_ports";
  finding.avoid = "do not bind() to port 0 before connect() without IP_BIND_ADDRESS_NO_PORT: it takes ports away";
}

void advise_wider_range(Finding& finding) {
  finding.change = "in the client: " + phrases::role_remedy(model::Role::kClient) +
                   "; until then set a wider range with IP_LOCAL_PORT_RANGE, or none";
  finding.risk = "the ports may be outside of the range that a firewall or a load balancer expects from this client";
  finding.avoid = "do not widen net.ipv4.ip_local_port_range for this: the client does not use more of it";
}

void advise_against_bind(Finding& finding) {
  finding.change =
      "in the client: do not call bind() before connect(), or set IP_BIND_ADDRESS_NO_PORT before bind() to port 0: "
      "connect() then chooses the port, and each destination has all ports to itself";
  finding.risk = "the application learns its local port only after connect()";
  finding.avoid = "do not rely on tcp_tw_reuse: only a connect() that chooses its port can reuse one";
}

}  // namespace twtrace::report
