// SPDX-License-Identifier: Apache-2.0
#include "report/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.hpp"
#include "phrases/endpoint.hpp"
#include "phrases/namespace.hpp"
#include "phrases/owner.hpp"
#include "report/nobody.hpp"
#include "report/unseen.hpp"

namespace twtrace::report {
namespace {

using model::Counters;

/// Of fewer ports than these a capture need not tell: its share of the largest range.
constexpr double kMostPorts = 65535;
constexpr double kAnyAmount = std::numeric_limits<double>::infinity();
constexpr double kLeastPortsKept = kMostPorts / model::kPortUseShare;

Measured unmeasurable(std::string why) { return {std::nullopt, std::move(why)}; }

Measured counted(std::uint64_t count) { return {static_cast<double>(count), base::grouped(count)}; }

/// With as many decimals as tell it from the budget's limit.
std::string decimal(double value, const Budget& budget) {
  constexpr int kMostDecimals = 6;
  double scale = 10;
  int decimals = 1;
  while (decimals < kMostDecimals && value != budget.value &&
         std::round(value * scale) == std::round(budget.value * scale)) {
    scale *= 10;
    ++decimals;
  }
  return fmt::format("{:.{}f}", value, decimals);
}

/// 0 of 0 counts as 0%.
double percent_of(double count, double of) { return of == 0 ? 0 : 100.0 * count / of; }

/// `count`, or its share if the budget is in percent.
Measured counted(const Asked& asked, std::uint64_t count, std::uint64_t of) {
  const auto some = static_cast<double>(count);
  const auto all = static_cast<double>(of);
  const Unseen unknown = unseen(asked);
  const auto more = static_cast<double>(unknown.count);
  const double most = some + static_cast<double>(unknown.all());
  Measured measured = counted(count);
  if (asked.budget.percent) {
    const double percent = percent_of(some, all);
    measured = {
        percent,
        fmt::format("{}% ({} of {})", decimal(percent, asked.budget), fmt::group_digits(count), fmt::group_digits(of)),
        {}};
    measured.range = {percent_of(some, all + more), percent_of(most, all + more)};
  } else {
    measured.range = {some, most};
  }
  return measured;
}

/// A row is what the budget is about, or the budget is about all rows.
bool has_row(const Asked& asked) {
  if (!asked.by_owner) return true;
  for (std::size_t i = 0; i < asked.owners.size(); ++i) {
    if (asked.owners[i] && asked.report.owners[i].row.kind != model::RowKind::kBeforeStart) return true;
  }
  return false;
}

/// Sums `amount` over all selected namespaces; empty if one of them does not know it.
template <class Amount>
std::optional<std::uint64_t> sum_of_namespaces(const Asked& asked, Amount amount) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    if (!asked.namespaces[i]) continue;
    const std::optional<std::uint64_t> part = amount(asked.report.namespaces[i]);
    if (!part) return std::nullopt;
    sum += *part;
  }
  return sum;
}

/// What rows have that the budget asks for. One about namespaces alone asks for all that they counted: if a namespace
/// was forgotten, its rows no longer say that they were there.
std::uint64_t sum_of_owners(const Asked& asked) {
  const auto count = info(asked.budget.metric).count;
  if (!asked.by_owner) {
    const auto all = [&](const NetnsReport& netns) { return std::optional(count(netns.last.counts)); };
    return sum_of_namespaces(asked, all).value_or(0);
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < asked.owners.size(); ++i) {
    if (asked.owners[i]) sum += count(asked.report.owners[i].row.counts);
  }
  return sum;
}

const char* what_is_seen(bool model::Sight::*sight) {
  if (sight == &model::Sight::no_port) return "which connect() finds no port";
  if (sight == &model::Sight::no_port_bind) return "which bind() finds no port";
  if (sight == &model::Sight::resets_received || sight == &model::Sight::resets_sent) return "resets on this kernel";
  if (sight == &model::Sight::queue_drops) return "what listening sockets drop";
  return "the end of buckets";
}

/// The base of a percentage: everything in the selected namespaces.
std::uint64_t whole(const Asked& asked) {
  const bool with_refused =
      std::string_view(info(asked.budget.metric).percent_of).find("asked") != std::string_view::npos;
  return sum_of_namespaces(asked,
                           [&](const NetnsReport& netns) {
                             const Counters& counts = netns.last.counts;
                             return std::optional(counts.created() + (with_refused ? counts.refused() : 0));
                           })
      .value_or(0);
}

/// What listening sockets dropped that could not be told apart: the kernel counted it, so a budget for all of them has
/// it.
std::uint64_t dropped_unseen(const Asked& asked) {
  if (asked.budget.metric != Metric::kQueueDrops || asked.by_owner) return 0;
  const auto missed = [](const NetnsReport& netns) -> std::optional<std::uint64_t> {
    if (netns.last.missed.queue_drops) return netns.last.missed.queue_drops;
    const std::uint64_t seen = netns.last.counts.queue_drops;
    return std::max(netns.last.kernel.listen_drops.value_or(0), seen) - seen;
  };
  return sum_of_namespaces(asked, missed).value_or(0);
}

Measured count(const Asked& asked) {
  if (const auto needs = info(asked.budget.metric).needs; needs != nullptr && !(asked.report.info.probe.sees.*needs)) {
    if (!(asked.report.info.sees_at_most.*needs)) {
      return unmeasurable(fmt::format("the capture is of an older version of twtrace, which did not count {}",
                                      info(asked.budget.metric).name));
    }
    return unmeasurable(
        fmt::format("the {} backend does not see {}", asked.report.info.probe.backend, what_is_seen(needs)));
  }
  const std::uint64_t unseen = dropped_unseen(asked);
  const std::uint64_t sum = sum_of_owners(asked) + unseen;
  Measured measured = counted(asked, sum, asked.budget.percent ? whole(asked) : 0);
  if (unseen != 0)
    measured.words += fmt::format(", {} of them by sockets that are not known", fmt::group_digits(unseen));
  if (!has_row(asked)) measured.words += " (no row matches)";
  return measured;
}

Measured unattributed(const Asked& asked) {
  const auto sum =
      sum_of_namespaces(asked, [](const NetnsReport& netns) { return std::optional(netns.without_row.created()); });
  return counted(asked, sum.value_or(0), asked.budget.percent ? whole(asked) : 0);
}

/// " in netns blue", if there are several. Inode numbers are given again: then the id tells which one it is.
std::string place_words(const Asked& asked, const NetnsReport& netns) {
  const auto& all = asked.report.namespaces;
  if (all.size() == 1) return {};
  const auto same = std::count_if(all.begin(), all.end(), [&netns](const NetnsReport& other) {
    return other.last.netns == netns.last.netns && other.last.name == netns.last.name;
  });
  if (same > 1) return fmt::format(" in netns id:{}", netns.last.id);
  return " in netns " + phrases::netns_words(netns.last.netns, netns.last.name);
}

/// What to type instead, if there is a namespace that stayed.
std::string one_that_stayed(const Asked& asked) {
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    const model::NetnsRow& netns = asked.report.namespaces[i].last;
    if (!asked.namespaces[i] || netns.gone || netns.name.empty()) continue;
    return fmt::format("; ask for one that stayed, as in {}{{netns={}}}", info(asked.budget.metric).name, netns.name);
  }
  return {};
}

/// The peak of one namespace.
struct Peak {
  std::optional<double> least;  ///< empty: nothing is known
  double most = 0;              ///< `least` if that is exact
  std::size_t phase = 0;        ///< the first one with it
  std::string words;
  const char* open = "";  ///< why it may be more
};

std::size_t first_phase(const NetnsReport& netns, bool (*is_it)(const NetnsReport&, const Amounts&)) {
  const auto first = std::find_if(netns.phases.begin(), netns.phases.end(),
                                  [&](const Amounts& amounts) { return is_it(netns, amounts); });
  return first == netns.phases.end() ? 0 : static_cast<std::size_t>(first - netns.phases.begin());
}

std::string share_words(double percent, std::uint64_t in_use) {
  return fmt::format("{:.1f}% of the limit ({} in use)", percent, fmt::group_digits(in_use));
}

/// What the samples say.
Peak sampled_peak(const NetnsReport& netns, bool percent) {
  Peak peak;
  if (!netns.in_use_peak) return peak;
  const std::uint64_t limit_then = netns.peak_limit.value_or(0);
  peak.words = base::grouped(*netns.in_use_peak);
  if (percent && netns.peak_percent) {
    peak.words = share_words(*netns.peak_percent, netns.percent_in_use);
  } else if (limit_then != 0) {
    peak.words = share_words(percent_of(static_cast<double>(*netns.in_use_peak), static_cast<double>(limit_then)),
                             *netns.in_use_peak);
  }
  if (!percent) {
    peak.least = static_cast<double>(*netns.in_use_peak);
    peak.phase = first_phase(
        netns, [](const NetnsReport& of, const Amounts& amounts) { return amounts.in_use_peak == of.in_use_peak; });
  } else if (netns.peak_percent) {
    peak.least = netns.peak_percent;
    peak.phase = first_phase(
        netns, [](const NetnsReport& of, const Amounts& amounts) { return amounts.peak_percent == of.peak_percent; });
  }
  return peak;
}

/// What may have been in the table when its namespace was gone, after the last reading. 0: nothing more.
double at_end(const NetnsReport& netns, bool percent) {
  if (netns.last.in_use || !netns.most_at_end) return 0;
  std::uint64_t most = *netns.most_at_end;
  const std::uint64_t limit = netns.known_limit.value_or(0);
  if (limit != 0) most = std::min(most, limit);
  if (!percent) return static_cast<double>(most);
  return limit == 0 ? 100 : percent_of(static_cast<double>(most), static_cast<double>(limit));
}

/// A refusal shows that the table was at its limit, although no sample may have seen it so. A namespace of which no
/// sample saw anything had no more buckets than it created, if it began during the capture.
Peak peak_of(const NetnsReport& netns, bool percent) {
  Peak peak = sampled_peak(netns, percent);
  const Counters& counts = netns.last.counts;
  std::optional<double> full;
  if (counts.overflow() != 0 && percent) full = 100;
  if (counts.overflow() != 0 && !percent && netns.refused_at) full = static_cast<double>(*netns.refused_at);
  if (full && (!peak.least || *peak.least < *full)) {
    const std::string sampled = netns.in_use_peak ? base::grouped(*netns.in_use_peak) + " in use at most in a sample"
                                                  : "no sample has how many were in use";
    const std::string value = percent ? "100.0% of the limit" : base::grouped(*netns.refused_at) + ", the limit";
    peak.least = full;
    peak.words = fmt::format("{} (it refused {}; {})", value, fmt::group_digits(counts.overflow()), sampled);
    peak.phase =
        first_phase(netns, [](const NetnsReport&, const Amounts& amounts) { return amounts.counts.overflow() != 0; });
  }
  peak.most = peak.least.value_or(0);
  if (netns.in_use_peak && !peak.least) {
    peak.most = kAnyAmount;
    peak.open = netns.known_limit ? "of a limit of 0 there is no percentage" : "the limit could not be read";
  } else if (!netns.in_use_peak && !peak.least) {
    const bool is_bounded = netns.last.gone && counts.overflow() == 0 && (netns.began_later || counts.created() == 0);
    const bool has_limit = !percent || counts.created() == 0;
    peak.most = kAnyAmount;
    if (is_bounded && has_limit) peak.most = static_cast<double>(counts.created());
    peak.open = netns.last.gone ? "no sample has how many buckets were in use in a namespace that came and went"
                                : "the number of buckets in use could not be read";
  } else if (netns.last.missed.overflow.value_or(0) != 0 && percent && peak.most < 100) {
    peak.most = 100;
    peak.open = "the kernel refused buckets that no BPF program saw, so the table may have been full";
  } else if (const double most = at_end(netns, percent); most > peak.most) {
    peak.most = most;
    peak.open = netns.last.gone ? "a namespace went away before its table was read once more"
                                : "the table could not be read until the end";
  }
  return peak;
}

/// The peak of the namespace where it is largest, because each namespace has a separate table. What was created until
/// then fills it.
Measured in_use_peak(const Asked& asked) {
  Measured worst = unmeasurable("the number of buckets in use could not be read");
  double most = 0;
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    if (!asked.namespaces[i]) continue;
    const NetnsReport& netns = asked.report.namespaces[i];
    const Peak peak = peak_of(netns, asked.budget.percent);
    if (peak.most > most) {
      most = peak.most;
      worst.open = peak.open;
    }
    if (!peak.least || (worst.value && *worst.value >= *peak.least)) continue;
    worst.value = peak.least;
    worst.scope = {&netns, 0, peak.phase};
    worst.words = peak.words;
  }
  if (!worst.value && !worst.open.empty()) return unmeasurable(worst.open);
  if (!worst.value) return worst;
  worst.words += place_words(asked, *worst.scope.netns);
  worst.range = {*worst.value, std::max(*worst.value, most)};
  if (asked.report.namespaces.size() > 1 && !worst.open.empty()) worst.open += one_that_stayed(asked);
  return worst;
}

/// Whether it is of a namespace that the budget asks for. In an old capture nobody knows; then it counts.
bool is_asked_for(const Asked& asked, const PortPeak& peak) {
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    const model::NetnsRow& netns = asked.report.namespaces[i].last;
    if (asked.namespaces[i] && (peak.use.netns_id ? *peak.use.netns_id == netns.id : peak.use.netns == netns.netns)) {
      return true;
    }
  }
  return false;
}

/// What the samples have of them.
Measured sampled_ports_peak(const Asked& asked) {
  Measured worst;
  for (const auto* peaks : {&asked.report.ports, &asked.report.port_pools}) {
    for (const PortPeak& peak : *peaks) {
      const model::Use ports = peak.use.for_connect();
      if (!is_asked_for(asked, peak) || ports.of == 0) continue;
      const double percent = percent_of(static_cast<double>(ports.taken), static_cast<double>(ports.of));
      const double value = asked.budget.percent ? percent : static_cast<double>(peak.most_taken);
      if (worst.value && *worst.value >= value) continue;
      const model::Peer& to = peak.use.destination;
      const std::string taken =
          asked.budget.percent || peak.most_taken <= ports.taken
              ? fmt::format("{:.1f}% ({} of {})", percent, fmt::group_digits(ports.taken), fmt::group_digits(ports.of))
              : base::grouped(peak.most_taken);
      worst = {value, fmt::format("{} towards {}", taken,
                                  peak.use.is_pool() ? "any destination"
                                                     : phrases::endpoint_words(to.address, to.port.value_or(0)))};
      if (asked.report.namespaces.size() > 1) {
        worst.words += " in netns " + phrases::netns_words(peak.use.netns, peak.netns_name);
      }
      if (peak.owner) {
        worst.words += ", most of its buckets by " + phrases::owner_words(asked.report.owners[*peak.owner].row);
      }
    }
  }
  if (worst.value) return worst;
  if (asked.report.ports_of_unknown) {
    return unmeasurable("a capture of an older version does not say in which namespace ports were taken");
  }
  if (asked.report.ports_kept >= model::kMostPortUse) {
    return unmeasurable(
        fmt::format("a capture keeps the {} fullest destinations of the host, and none is there", model::kMostPortUse));
  }
  const double least = asked.budget.percent ? 100.0 / model::kPortUseShare : kLeastPortsKept;
  if (asked.budget.value < least) {
    return unmeasurable("a capture keeps no destination towards which less than 1% of the local ports are taken");
  }
  return {0, "less than 1% of the local ports"};
}

/// The destination for which most ports were taken, or all destinations of a namespace where bind() took them. A
/// connect() without a port shows that all were taken that it could choose; a sample need not have seen that.
Measured ports_taken_peak(const Asked& asked) {
  if (!asked.report.ports_counted) return unmeasurable("the local ports were not counted");
  Measured peak = sampled_ports_peak(asked);
  const auto of_connect = [](const NetnsReport& netns) { return std::optional(netns.last.counts.no_port_connect()); };
  const std::uint64_t failed = sum_of_namespaces(asked, of_connect).value_or(0);
  const double all = asked.budget.percent ? 100 : kMostPorts;
  if (failed == 0 || peak.value.value_or(0) >= all) return peak;
  peak.open = fmt::format("connect() found no local port {}: all that it could choose were taken then",
                          failed == 1 ? "once" : base::grouped(failed) + " times");
  if (!peak.value) return unmeasurable(peak.open);
  peak.range = {*peak.value, all};
  return peak;
}

Measured created_per_s_peak(const Asked& asked) {
  Measured busiest{0, "0/s"};
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    const NetnsReport& netns = asked.report.namespaces[i];
    if (!asked.namespaces[i] || netns.created_per_s_peak <= *busiest.value) continue;
    busiest = {netns.created_per_s_peak, {}, Scope{&netns, netns.busiest_phase, netns.busiest_phase}};
  }
  busiest.words = base::rate(*busiest.value) + "/s";
  if (busiest.scope.netns != nullptr) busiest.words += place_words(asked, *busiest.scope.netns);
  const auto more = static_cast<double>(unseen(asked).all());
  const double in_one_s = asked.report.info.interval_s > 0 ? more / asked.report.info.interval_s : more;
  busiest.range = {*busiest.value, *busiest.value + in_one_s};
  return busiest;
}

/// The kernel's counters of a namespace that went away between two samples went with it. That does not matter where
/// nothing was counted.
Measured missed(const Asked& asked) {
  std::uint64_t sum = 0;
  std::size_t unknown = 0;
  std::size_t gone = 0;
  for (std::size_t i = 0; i < asked.namespaces.size(); ++i) {
    const NetnsReport& netns = asked.report.namespaces[i];
    if (!asked.namespaces[i]) continue;
    const model::MissedCounts& counts = netns.last.missed;
    sum += counts.created.value_or(0) + counts.overflow.value_or(0);
    const bool is_idle = netns.last.counts.created() + netns.last.counts.refused() == 0;
    if ((counts.created && counts.overflow) || (netns.last.gone && is_idle)) continue;
    ++unknown;
    if (netns.last.gone) ++gone;
  }
  Measured measured = counted(sum);
  if (unknown == 0) return measured;
  if (gone != unknown) {
    measured.open = "the kernel's own counters cannot be compared on this kernel";
  } else if (gone == 1) {
    measured.open = "the counters of a namespace went away with it" + one_that_stayed(asked);
  } else {
    measured.open = fmt::format("the counters of {} namespaces went away with them{}", gone, one_that_stayed(asked));
  }
  measured.range = {*measured.value, kAnyAmount};
  return measured;
}

struct Rate {
  double seconds = 0;
  std::uint64_t created = 0;
  std::uint64_t unseen = 0;  ///< it may be so many more
  std::uint64_t merged = 0;  ///< it may be so many more or fewer: Report::merged
  double per_s() const { return static_cast<double>(created) / seconds; }
  double least_per_s() const { return static_cast<double>(created - std::min(created, merged)) / seconds; }
  double most_per_s() const { return static_cast<double>(created + unseen + merged) / seconds; }
};

std::uint64_t created_by_owners(const Asked& asked, const Flags& chosen, std::size_t phase) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::vector<Counters>& phases = asked.report.owners[i].phases;
    if (chosen[i] && phase < phases.size()) sum += phases[phase].created();
  }
  return sum;
}

/// As in sum_of_owners(), a budget about namespaces alone asks for what these counted.
Rate rate_in(const Asked& asked, PhaseKind kind) {
  Rate rate;
  rate.unseen = unseen(asked).count;
  for (std::size_t i = 0; i < asked.report.phases.size(); ++i) {
    if (asked.report.phases[i].kind != kind) continue;
    rate.seconds = asked.report.phases[i].seconds;
    if (asked.by_owner) {
      rate.created = created_by_owners(asked, asked.owners, i);
      rate.unseen += created_by_owners(asked, asked.perhaps, i);
      rate.merged = i < asked.report.merged.size() ? asked.report.merged[i].created() : 0;
    } else {
      const auto created = [i](const NetnsReport& netns) { return std::optional(netns.phases[i].counts.created()); };
      rate.created = sum_of_namespaces(asked, created).value_or(0);
    }
  }
  return rate;
}

/// From 0 to 0 nothing changed. From 0 to some is an infinite ratio.
double quotient(double now, double before) {
  if (before == 0) return now == 0 ? 1 : std::numeric_limits<double>::infinity();
  return now / before;
}

Measured ratio(const Budget& budget, const Rate& now, const Rate& before, const char* now_words,
               const char* before_words) {
  const std::string words =
      fmt::format("{}/s {}, {}/s {}", base::rate(now.per_s()), now_words, base::rate(before.per_s()), before_words);
  const double value = quotient(now.per_s(), before.per_s());
  Measured measured{value, (std::isinf(value) ? "infinite" : decimal(value, budget)) + " (" + words + ")"};
  measured.range = {quotient(now.least_per_s(), before.most_per_s()), quotient(now.most_per_s(), before.least_per_s())};
  if (now.merged + before.merged != 0) {
    measured.open =
        "processes or namespaces that were gone were merged, so it is not known in which phase they counted";
  }
  return measured;
}

Measured ratio_of_phases(const Asked& asked) {
  if (!asked.report.info.command) return unmeasurable("there is no command to compare before with during");
  const Rate before = rate_in(asked, PhaseKind::kBefore);
  const Rate during = rate_in(asked, PhaseKind::kDuring);
  if (before.seconds <= 0 || during.seconds <= 0) {
    if (const std::string clock = clock_words(asked.report); !clock.empty()) return unmeasurable(clock);
  }
  if (before.seconds <= 0) return unmeasurable("nothing was watched before the command (--before 0)");
  if (during.seconds <= 0) return unmeasurable("nothing was watched during the command");
  Measured measured = ratio(asked.budget, during, before, "during", "before");
  const auto phase =
      static_cast<std::size_t>(report::phase(asked.report, PhaseKind::kDuring) - asked.report.phases.data());
  measured.scope = {nullptr, phase, phase};
  return measured;
}

Rate rate_of_all(const Asked& asked) { return {asked.report.seconds, sum_of_owners(asked), unseen(asked).all()}; }

}  // namespace

Measured measure(const Asked& asked, const Asked* baseline, const std::vector<model::NetnsName>& namespaces) {
  if (asked.report.samples == 0) return unmeasurable("the capture ended before its first sample");
  if (asked.budget.selector.asks(view::Key::kNetns)) {
    if (std::find(asked.namespaces.begin(), asked.namespaces.end(), true) == asked.namespaces.end()) {
      return unmeasurable("no such network namespace was seen");
    }
    if (const auto clear = view::check_unambiguous(asked.budget.selector, namespaces); !clear) {
      return unmeasurable(fmt::format("{}; {}", clear.error().what, clear.error().hint));
    }
  }
  if (!has_row(asked) && !asked.names_somebody && (baseline == nullptr || !baseline->names_somebody)) {
    return unmeasurable(nobody_words(asked.report.info));
  }
  switch (asked.budget.metric) {
    case Metric::kUnattributed:
      return unattributed(asked);
    case Metric::kInUsePeak:
      return in_use_peak(asked);
    case Metric::kPortsTakenPeak:
      return ports_taken_peak(asked);
    case Metric::kCreatedPerSPeak:
      return created_per_s_peak(asked);
    case Metric::kMissed:
      return missed(asked);
    case Metric::kLostEvents:
      return counted(asked.report.lost.events);
    case Metric::kLostCounts:
      return counted(asked.report.lost.counts);
    case Metric::kCreatedRatio:
      if (baseline == nullptr) return ratio_of_phases(asked);
      if (asked.report.seconds <= 0 || baseline->report.seconds <= 0)
        return unmeasurable("one of the captures has no sample");
      return ratio(asked.budget, rate_of_all(asked), rate_of_all(*baseline), "after", "before");
    default:
      return count(asked);
  }
}

}  // namespace twtrace::report
