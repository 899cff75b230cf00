// SPDX-License-Identifier: Apache-2.0
// Findings about the table itself and the settings around it.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "base/format.hpp"
#include "model/fill.hpp"
#include "model/forecast.hpp"
#include "phrases/advice.hpp"
#include "phrases/doctor_warnings.hpp"
#include "report/finding_words.hpp"
#include "report/findings.hpp"

namespace twtrace::report {
namespace {

constexpr double kHeadroom = 1.25;

model::DoctorNetns as_doctor_sees(const model::NetnsSettings& settings, const phrases::Place& place) {
  model::DoctorNetns netns;
  netns.netns = settings.netns;
  netns.netns_id = settings.netns_id;
  netns.name = settings.name;
  netns.host = place.host;
  netns.path = place.path;
  static_cast<base::NetSettings&>(netns) = static_cast<const base::NetSettings&>(settings);
  return netns;
}

/// A namespace that no sample of the capture has.
model::NetnsRow row_of_settings(const model::NetnsSettings& settings) {
  model::NetnsRow row;
  row.netns = settings.netns;
  row.name = settings.name;
  return row;
}

/// The command, run in the namespace that the warning is about; here, if that is not known.
std::string in_its_namespace(const std::vector<model::NetnsSettings>& all, const model::DoctorWarning& warning,
                             const std::string& command) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const model::NetnsSettings& netns) {
    return warning.netns_id ? netns.netns_id == warning.netns_id : netns.netns == warning.netns;
  });
  return found == all.end() ? command : in_namespace(row_of_settings(*found), command);
}

/// What a finding needs in addition to the words of the doctor's warning.
struct Setting {
  const char* id;
  const char* sysctl;
  Severity severity;
  const char* risk;
  const char* avoid;
};

constexpr const char* kRiskOfRoom = "more kernel memory when the table is full, nothing else";
constexpr Setting kSettings[] = {
    {"limit-below-default", phrases::kMaxTwBuckets, Severity::kWarning, kRiskOfRoom, kNeverLower},
    {"limit-low", phrases::kMaxTwBuckets, Severity::kNotice, kRiskOfRoom, kNeverLower},
    {"limit-not-inherited", phrases::kMaxTwBuckets, Severity::kNotice, kRiskOfRoom, kNeverLower},
    {"fin-timeout-lowered", "net.ipv4.tcp_fin_timeout", Severity::kNotice,
     "orphaned FIN_WAIT2 sockets stay for up to 60 s again, which is the kernel's default",
     "do not lower it further: a peer that closes later than that gets a reset"},
    {"tw-reuse-off", "net.ipv4.tcp_tw_reuse", Severity::kNotice,
     "with 1, a port is reused one second after its close; this needs TCP timestamps at both ends",
     "do not look for tcp_tw_recycle: it broke clients behind NAT, and Linux 4.12 removed it"},
    {"timestamps-off", "net.ipv4.tcp_timestamps", Severity::kNotice,
     "12 bytes more per segment; the kernel adds a random offset for each peer, so they do not tell its uptime",
     "do not set tcp_tw_reuse=1 alone: it needs timestamps at both ends"}};

bool told_already(const Report& report, const Findings& out, const model::DoctorWarning& warning,
                  const std::map<std::uint32_t, const NetnsReport*>& small) {
  const bool about_limit = warning.id == "limit-below-default" || warning.id == "limit-low";
  if (warning.id == "tw-reuse-off" && advised_reuse(report, warning.netns_id)) return true;
  return (about_limit && warning.netns_id && small.contains(*warning.netns_id)) ||
         std::count_if(out.begin(), out.end(), [&](const Finding& known) { return known.id == warning.id; }) >=
             static_cast<std::ptrdiff_t>(kNamespacesTold);
}

/// Those of Demand::arrivals that no BPF program saw. When they came is not known: as many of them as of the others.
std::uint64_t unseen_arrivals(const NetnsReport& netns) {
  const model::MissedCounts& missed = netns.last.missed;
  const double unseen =
      static_cast<double>(missed.created.value_or(0)) + static_cast<double>(missed.overflow.value_or(0));
  const auto seen = static_cast<double>(netns.last.counts.created() + netns.last.counts.refused());
  const double share = seen > 0 ? std::min(static_cast<double>(netns.demand.arrivals) / seen, 1.0) : 1;
  return static_cast<std::uint64_t>(std::llround(std::min(unseen * share, 1e9)));
}

/// The most places that were wanted at one time, as far as the capture shows.
std::uint64_t held(const NetnsReport& netns) {
  return std::max(netns.demand.wanted() + unseen_arrivals(netns), netns.in_use_peak.value_or(0));
}

std::string demand_words(const NetnsReport& netns, double seconds) {
  const Demand& demand = netns.demand;
  const std::string arrivals =
      base::grouped(demand.arrivals) + (demand.arrivals == 1 ? " bucket was requested" : " buckets were requested");
  std::string words = seconds < model::kBucketLifetimeS
                          ? fmt::format("the capture lasted {:.0f} s, and a bucket lives {:g} s; {}", seconds,
                                        model::kBucketLifetimeS, arrivals)
                          : fmt::format("{} within {:g} s, the life of a bucket", arrivals, model::kBucketLifetimeS);
  if (const std::uint64_t unseen = unseen_arrivals(netns); unseen != 0) {
    words += fmt::format("; {} more that no BPF program saw", fmt::group_digits(unseen));
  }
  if (demand.older != 0) words += fmt::format("; {} were there before", fmt::group_digits(demand.older));
  return words + fmt::format("; {} + 25%, rounded up to a power of two", fmt::group_digits(held(netns)));
}

/// Most buckets in use, and the largest share of the limit. If the limit changed, these may be of two moments.
std::string peak_words(const NetnsReport& netns) {
  std::string words =
      fmt::format("in use {} at most", netns.in_use_peak ? base::grouped(*netns.in_use_peak) : "unknown");
  if (!netns.peak_percent) return words;
  const std::string share = truncated_percent(*netns.peak_percent);
  if (netns.percent_in_use == netns.in_use_peak) return fmt::format("{} ({} of the limit)", words, share);
  return fmt::format("{}; {} of the limit with {}", words, share, fmt::group_digits(netns.percent_in_use));
}

bool changed(const NetnsReport& netns) {
  const auto differs = [&](const TimelinePoint& point) {
    return point.limit && netns.timeline.front().limit && point.limit != netns.timeline.front().limit;
  };
  const bool by_settings = netns.at_start && netns.at_end && netns.at_start->limit && netns.at_end->limit &&
                           netns.at_start->limit != netns.at_end->limit;
  return by_settings || std::any_of(netns.timeline.begin(), netns.timeline.end(), differs);
}

}  // namespace

bool overflowed(const NetnsReport& netns) {
  const model::Counters& counts = netns.last.counts;
  return counts.overflow() != 0 || (counts.no_memory == 0 && netns.last.missed.overflow.value_or(0) != 0);
}

bool nearly_full(const NetnsReport& netns) {
  return overflowed(netns) ||
         (netns.last.counts.created() != 0 && model::is_nearly_full(netns.peak_percent.value_or(0)));
}

namespace {

/// The limit at which the table was full, or nearly.
std::uint64_t reached_limit(const NetnsReport& netns) {
  if (netns.last.counts.overflow() != 0 && netns.refused_at) return *netns.refused_at;
  if (model::is_nearly_full(netns.in_use_peak, netns.peak_limit)) return *netns.peak_limit;
  for (const TimelinePoint& point : netns.timeline) {
    if (model::is_nearly_full(point.in_use, point.limit)) return *point.limit;
  }
  return netns.last.limit.value_or(0);
}

/// What came, and was there, with headroom. A refusal shows that its limit was not enough.
std::uint64_t measured_need(const NetnsReport& netns) {
  const double with_headroom = static_cast<double>(held(netns)) * kHeadroom;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(std::min(with_headroom, 1e9)));
  const std::uint64_t not_enough = overflowed(netns) ? reached_limit(netns) : 0;
  return std::min(std::bit_ceil(std::max(wanted, not_enough + 1)), phrases::kMaxLimit);
}

/// The limit was raised since, and that is enough.
bool has_room_now(const NetnsReport& netns) {
  return netns.last.limit.value_or(0) > reached_limit(netns) && *netns.last.limit >= measured_need(netns);
}

std::string limit_now(const NetnsReport& netns) {
  return fmt::format("the limit {} {}, which is enough", netns.last.gone ? "was at last" : "is now",
                     fmt::group_digits(netns.last.limit.value_or(0)));
}

}  // namespace

std::uint64_t needed_limit(const NetnsReport& netns) { return std::max(measured_need(netns), phrases::kLowLimit); }

std::string change_of_limit(const Report& report, const NetnsReport& netns) {
  if (has_room_now(netns)) return "none: " + limit_now(netns) + "; keep it across a reboot";
  return phrases::limit_change(place_of(netns.last), needed_limit(netns),
                               report.info.bucket_bytes.value_or(phrases::kBytesPerBucket));
}

void table_too_small(const Report& report, Findings& out) {
  std::size_t told = 0;
  for (const NetnsReport& netns : report.namespaces) {
    if (!nearly_full(netns) || !netns.last.limit || *netns.last.limit >= phrases::kMaxLimit) continue;
    if (++told > kNamespacesTold) return;
    const bool was_full = overflowed(netns);
    const std::uint64_t needed = measured_need(netns);
    const std::uint64_t advised = needed_limit(netns);
    const bool is_enough = has_room_now(netns);
    const bool is_lower_bound = report.seconds < model::kBucketLifetimeS;
    Finding finding;
    finding.id = "table-too-small";
    finding.severity = is_enough ? Severity::kNotice : was_full ? Severity::kCritical : Severity::kWarning;
    finding.text = fmt::format("{}: the table of {} was {}; it needs room for {}{}{}", title(netns.last),
                               fmt::group_digits(reached_limit(netns)), was_full ? "full" : "nearly full",
                               is_lower_bound ? "at least " : "", fmt::group_digits(needed),
                               is_enough ? "; " + limit_now(netns) : "");
    finding.evidence.push_back(peak_words(netns));
    finding.evidence.push_back(demand_words(netns, report.seconds));
    if (advised != needed && !is_enough) {
      finding.evidence.push_back((is_lower_bound ? "" : base::grouped(needed) + " would do; ") +
                                 fmt::format("twtrace never advises less than {}, because unused room costs no memory",
                                             fmt::group_digits(advised)));
    }
    if (was_full) {
      finding.evidence.push_back(
          fmt::format("{} refused (TcpExtTCPTimeWaitOverflow)",
                      fmt::group_digits(netns.last.counts.overflow() + netns.last.missed.overflow.value_or(0))));
    }
    finding.command = in_namespace(netns.last, std::string("sysctl ") + phrases::kMaxTwBuckets);
    if (!netns.last.gone) finding.command += "; " + in_namespace(netns.last, "nstat -az TcpExtTCPTimeWaitOverflow");
    finding.change = change_of_limit(report, netns);
    finding.risk = kRiskOfRoom;
    finding.avoid = kNeverLower;
    out.push_back(std::move(finding));
  }
}

void settings(const Report& report, Findings& out) {
  std::map<std::uint32_t, const NetnsReport*> small;     // by id
  std::map<std::uint32_t, const model::NetnsRow*> rows;  // by id
  for (const NetnsReport& netns : report.namespaces) {
    if (nearly_full(netns) && !has_room_now(netns)) small[netns.last.id] = &netns;
    rows[netns.last.id] = &netns.last;
  }
  const auto row_of = [&rows](std::optional<std::uint32_t> id) {
    const auto found = id ? rows.find(*id) : rows.end();
    return found == rows.end() ? nullptr : found->second;
  };
  std::vector<model::DoctorNetns> namespaces;
  const auto& all = report.info.settings_at_end.empty() ? report.info.settings_at_start : report.info.settings_at_end;
  namespaces.reserve(all.size());
  for (const model::NetnsSettings& netns : all) {
    const model::NetnsRow* const row = row_of(netns.netns_id);
    if (row != nullptr && row->gone) continue;  // nothing can be set there any more
    namespaces.push_back(as_doctor_sees(netns, row != nullptr ? place_of(*row) : place_of(row_of_settings(netns))));
  }
  for (const model::DoctorWarning& warning : phrases::doctor_warnings(namespaces)) {
    const auto* const known = std::find_if(std::begin(kSettings), std::end(kSettings),
                                           [&](const Setting& setting) { return warning.id == setting.id; });
    if (known == std::end(kSettings) || told_already(report, out, warning, small)) continue;
    Finding finding;
    finding.id = warning.id;
    finding.severity = known->severity;
    finding.text = warning.text;
    finding.command = std::string("sysctl ") + known->sysctl;
    const model::NetnsRow* const row = row_of(warning.netns_id);
    finding.command = row != nullptr ? in_namespace(*row, finding.command)
                                     : in_its_namespace(all, warning, finding.command);  // no sample has it
    finding.change = warning.change;
    if (warning.id == "limit-not-inherited" && warning.netns_id && small.contains(*warning.netns_id)) {
      const NetnsReport& netns = *small[*warning.netns_id];  // table-too-small says the same number
      finding.change = phrases::kRaiseTheLower + change_of_limit(report, netns);
    }
    finding.risk = known->risk;
    finding.avoid = known->avoid;
    out.push_back(std::move(finding));
  }
}

void limit_changed(const Report& report, Findings& out) {
  std::size_t told = 0;
  for (const NetnsReport& netns : report.namespaces) {
    if (netns.timeline.empty() || !changed(netns)) continue;
    if (++told > kNamespacesTold) return;
    Finding finding;
    finding.id = "limit-changed";
    finding.severity = Severity::kWarning;
    finding.text = title(netns.last) + ": tcp_max_tw_buckets was changed while the capture ran";
    finding.evidence.push_back("seen: " + limits_seen(netns));
    finding.command = in_namespace(netns.last, std::string("sysctl ") + phrases::kMaxTwBuckets);
    finding.change = fmt::format("find who writes it: grep -rs tcp_max_tw_buckets /etc/sysctl.conf /etc/sysctl.d");
    finding.risk = "none: this only looks";
    finding.avoid = "do not let a deploy set it: two writers undo each other";
    out.push_back(std::move(finding));
  }
}

}  // namespace twtrace::report
