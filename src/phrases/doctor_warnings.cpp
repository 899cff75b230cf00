// SPDX-License-Identifier: Apache-2.0
#include "phrases/doctor_warnings.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "model/fill.hpp"
#include "phrases/advice.hpp"

namespace twtrace::phrases {
namespace {

/// The limit to advise if the kernel's own default is not known.
constexpr std::uint64_t kAmpleLimit = 65536;
constexpr std::size_t kNamesShown = 3;

std::string title(const model::DoctorNetns& netns) {
  const std::string number = std::to_string(netns.netns);
  return netns.name.empty() ? number : netns.name;
}

Place place_of(const model::DoctorNetns& netns) { return {netns.host, netns.pid, netns.path}; }

std::uint64_t ample_limit(const model::DoctorNetns& netns) { return netns.default_limit.value_or(kAmpleLimit); }

/// There was too little room, or nearly.
bool is_pressed(const model::DoctorNetns& netns) {
  return netns.overflow.value_or(0) != 0 || model::is_nearly_full(netns.in_use, netns.limit);
}

/// The limit that every warning about a namespace advises: never less than the kernel's default, and twice as much room
/// as now if there was too little.
std::uint64_t advised_limit(const model::DoctorNetns& netns) {
  return std::max({ample_limit(netns), kLowLimit, is_pressed(netns) ? netns.limit.value_or(0) * 2 : 0});
}

std::string higher_limit(const model::DoctorNetns& netns) {
  return limit_change(place_of(netns), advised_limit(netns));
}

bool is_low(const model::DoctorNetns& netns) {
  return netns.limit && (*netns.limit < netns.default_limit.value_or(0) || *netns.limit < kLowLimit);
}

using Warning = std::optional<model::DoctorWarning>;

Warning overflow_seen(const model::DoctorNetns& netns) {
  if (netns.overflow.value_or(0) == 0) return std::nullopt;
  return model::DoctorWarning{
      "overflow-seen", netns.netns,
      title(netns) + ": " + base::grouped(*netns.overflow) +
          " buckets were refused since the namespace was created (TcpExtTCPTimeWaitOverflow); the "
          "kernel closed their sockets at once, and peers may have got resets",
      "twtrace -s overflow names who was refused; then " + higher_limit(netns)};
}

Warning table_nearly_full(const model::DoctorNetns& netns) {
  if (!model::is_nearly_full(netns.in_use, netns.limit)) return std::nullopt;
  return model::DoctorWarning{"table-nearly-full", netns.netns,
                              title(netns) + ": the table is " + std::to_string(*model::percent_full(netns)) +
                                  "% full (" + base::grouped(*netns.in_use) + " of " + base::grouped(*netns.limit) +
                                  ")",
                              "twtrace -s live names who fills it; then " + higher_limit(netns)};
}

Warning limit_low(const model::DoctorNetns& netns) {
  if (!is_low(netns)) return std::nullopt;
  const bool below_default = netns.default_limit && *netns.limit < *netns.default_limit;
  std::string text = title(netns) + ": " + kMaxTwBuckets + " is " + base::grouped(*netns.limit);
  if (below_default) {
    text += ", below this kernel's default of " + base::grouped(*netns.default_limit);
  }
  text += *netns.limit == 0
              ? "; no bucket ever gets a place"
              : "; " + base::rate(static_cast<double>(*netns.limit) / 60) + " closed connections per second fill it";
  return model::DoctorWarning{below_default ? "limit-below-default" : "limit-low", netns.netns, text,
                              higher_limit(netns)};
}

Warning fin_timeout_lowered(const model::DoctorNetns& netns) {
  if (netns.fin_timeout_s.value_or(kDefaultFinTimeoutS) >= kDefaultFinTimeoutS) return std::nullopt;
  return model::DoctorWarning{"fin-timeout-lowered", netns.netns,
                              title(netns) + ": tcp_fin_timeout is " + std::to_string(*netns.fin_timeout_s) +
                                  " s; this shortens only FIN_WAIT2, while TIME_WAIT stays at 60 s",
                              sysctl_change(place_of(netns), "net.ipv4.tcp_fin_timeout", kDefaultFinTimeoutS)};
}

Warning tw_reuse_off(const model::DoctorNetns& netns) {
  if (netns.tw_reuse.value_or(2) != 0) return std::nullopt;
  return model::DoctorWarning{
      "tw-reuse-off", netns.netns,
      title(netns) + ": tcp_tw_reuse is 0, so an outgoing connect never reuses a TIME_WAIT bucket",
      sysctl_change(place_of(netns), "net.ipv4.tcp_tw_reuse", 2) +
          "; 2 is the kernel's default (loopback only), 1 is for hosts that open many connections"};
}

/// tcp_twsk_unique (5.10 to 7.x) reuses a bucket only if it has a timestamp. Without one, tcp_timewait_state_process
/// takes a SYN only if its sequence number is higher than all that the old connection received.
Warning timestamps_off(const model::DoctorNetns& netns) {
  if (netns.timestamps.value_or(1) != 0) return std::nullopt;
  return model::DoctorWarning{
      "timestamps-off", netns.netns,
      title(netns) +
          ": tcp_timestamps is 0, so no connect reuses a TIME_WAIT bucket, whatever tcp_tw_reuse is, and a server may "
          "ignore a SYN from a port that is in TIME_WAIT",
      sysctl_change(place_of(netns), "net.ipv4.tcp_timestamps", 1) + "; it is for new connections only"};
}

std::string list(const std::vector<const model::DoctorNetns*>& namespaces) {
  std::string text;
  for (std::size_t i = 0; i < std::min(namespaces.size(), kNamesShown); ++i) {
    text += (i == 0 ? "" : ", ") + title(*namespaces[i]) + " " + base::grouped(*namespaces[i]->limit);
  }
  if (namespaces.size() > kNamesShown) text += ", " + std::to_string(namespaces.size() - kNamesShown) + " more";
  return text;
}

/// Always advises to change the lower limit.
Warning limit_not_inherited(const std::vector<model::DoctorNetns>& namespaces) {
  const auto host = std::find_if(namespaces.begin(), namespaces.end(), [](const auto& netns) { return netns.host; });
  if (host == namespaces.end() || !host->limit) return std::nullopt;
  std::vector<const model::DoctorNetns*> different;
  const model::DoctorNetns* lower = nullptr;
  for (const model::DoctorNetns& netns : namespaces) {
    if (!netns.limit || *netns.limit == *host->limit) continue;
    different.push_back(&netns);
    if (lower == nullptr && *netns.limit < *host->limit) lower = &netns;
  }
  if (different.empty()) return std::nullopt;
  const model::DoctorNetns& to_raise = lower != nullptr ? *lower : *host;
  // If another warning says how much room this one needs, it is not told another number here.
  const bool told = is_low(to_raise) || is_pressed(to_raise);
  const std::uint64_t target = told               ? advised_limit(to_raise)
                               : lower != nullptr ? *host->limit
                                                  : *different.front()->limit;
  return model::DoctorWarning{"limit-not-inherited", std::nullopt,
                              "the host's limit is " + base::grouped(*host->limit) + ", but these namespaces differ: " +
                                  list(different) + "; tcp_max_tw_buckets is per namespace and not inherited",
                              kRaiseTheLower + limit_change(place_of(to_raise), target), to_raise.netns_id};
}

}  // namespace

std::vector<model::DoctorWarning> doctor_warnings(const std::vector<model::DoctorNetns>& namespaces) {
  std::vector<model::DoctorWarning> warnings;
  const auto add = [&](Warning warning) {
    if (warning) warnings.push_back(std::move(*warning));
  };
  for (const model::DoctorNetns& netns : namespaces) {
    for (const auto& check :
         {overflow_seen, table_nearly_full, limit_low, fin_timeout_lowered, tw_reuse_off, timestamps_off}) {
      Warning warning = check(netns);
      if (warning) warning->netns_id = netns.netns_id;
      add(std::move(warning));
    }
  }
  add(limit_not_inherited(namespaces));
  return warnings;
}

}  // namespace twtrace::phrases
