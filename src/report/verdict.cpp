// SPDX-License-Identifier: Apache-2.0
#include "report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.hpp"
#include "phrases/namespace.hpp"
#include "report/missing.hpp"
#include "report/selected.hpp"
#include "report/unseen.hpp"

namespace twtrace::report {
namespace {

using model::Counters;

/// Whose counts explain a value: those in these phases, and of one namespace where the value is that of one.
struct Scope {
  const NetnsReport* netns = nullptr;
  std::size_t first_phase = 0;
  std::size_t last_phase = std::numeric_limits<std::size_t>::max();
};

/// What the value may really be, because no program saw everything.
struct Range {
  double least = 0;
  double most = 0;
};

/// A measured value, or the reason why there is none.
struct Measured {
  std::optional<double> value;
  std::string words;
  Scope scope = {};
  std::optional<Range> range = {};  ///< empty: the value is exact
};

Measured unmeasurable(std::string why) { return {std::nullopt, std::move(why)}; }

Measured counted(std::uint64_t count) { return {static_cast<double>(count), base::grouped(count)}; }

/// 0 of 0 counts as 0%.
double percent_of(double count, double of) { return of == 0 ? 0 : 100.0 * count / of; }

/// `count`, or its share if the budget is in percent.
Measured counted(const Budget& budget, const Report& report, std::uint64_t count, std::uint64_t of) {
  const auto some = static_cast<double>(count);
  const auto all = static_cast<double>(of);
  const auto more = static_cast<double>(unseen(budget, report).count);
  Measured measured = counted(count);
  if (budget.percent) {
    const double percent = percent_of(some, all);
    measured = {percent, fmt::format("{:.1f}% ({} of {})", percent, base::grouped(count), base::grouped(of)), {}};
    measured.range = {percent_of(some, all + more), percent_of(some + more, all + more)};
  } else {
    measured.range = {some, some + more};
  }
  return measured;
}

/// A row is what the budget is about, or the budget is about all rows.
bool has_row(const Budget& budget, const Report& report) {
  const auto matches = [&](const Owner& owner) {
    return owner.row.kind != model::RowKind::kBeforeStart && selected(budget, owner);
  };
  return !by_owner(budget) || std::any_of(report.owners.begin(), report.owners.end(), matches);
}

/// Whether something of the budget's names was there: in a row, or among what ran.
bool names_somebody(const Budget& budget, const Report& report) {
  view::Selector names = budget.selector.only(view::Key::kService);
  names.add(budget.selector.only(view::Key::kComm));
  const auto in_row = [&](const Owner& owner) { return names.accepts(view::subject_of(owner.row)); };
  if (names.empty() || std::any_of(report.owners.begin(), report.owners.end(), in_row)) return true;
  if (!report.info.seen) return false;
  return std::any_of(report.info.seen->begin(), report.info.seen->end(), [&](const model::SeenProcess& process) {
    view::Subject subject;
    subject.service = &process.service;
    subject.comm = process.comm;
    return names.accepts(subject);
  });
}

/// Why it is not known whether anything of these names was there.
std::string nobody_words(const Report& report) {
  if (!report.info.seen) return "no row matches, and this capture does not say whether any process of that name ran";
  if (report.info.seen->size() >= model::kMostSeenProcesses) {
    return fmt::format("no row matches, and the capture names only {} of the processes that ran",
                       base::grouped(model::kMostSeenProcesses));
  }
  return "no row matches, and no process of that name was seen; check the spelling";
}

/// Sums `amount` over all selected namespaces; empty if one of them does not know it.
template <class Amount>
std::optional<std::uint64_t> sum_of_namespaces(const Budget& budget, const Report& report, Amount amount) {
  std::uint64_t sum = 0;
  for (const NetnsReport& netns : report.namespaces) {
    if (!selected(budget, netns)) continue;
    const std::optional<std::uint64_t> part = amount(netns);
    if (!part) return std::nullopt;
    sum += *part;
  }
  return sum;
}

std::uint64_t sum_of_owners(const Budget& budget, const Report& report) {
  std::uint64_t sum = 0;
  for (const Owner& owner : report.owners) {
    if (selected(budget, owner)) sum += info(budget.metric).count(owner.row.counts);
  }
  return sum;
}

const char* what_is_seen(bool model::Sight::*sight) {
  if (sight == &model::Sight::no_port) return "which connect() finds no port";
  if (sight == &model::Sight::resets_received || sight == &model::Sight::resets_sent) return "resets on this kernel";
  if (sight == &model::Sight::queue_drops) return "what listening sockets drop";
  return "the end of buckets";
}

/// The base of a percentage: everything in the selected namespaces.
std::uint64_t whole(const Budget& budget, const Report& report) {
  const bool with_refused = std::string_view(info(budget.metric).percent_of).find("asked") != std::string_view::npos;
  return sum_of_namespaces(budget, report,
                           [&](const NetnsReport& netns) {
                             const Counters& counts = netns.last.counts;
                             return std::optional(counts.created() + (with_refused ? counts.refused() : 0));
                           })
      .value_or(0);
}

/// What listening sockets dropped that could not be told apart: the kernel counted it, so a budget for all of them has
/// it.
std::uint64_t dropped_unseen(const Budget& budget, const Report& report) {
  if (budget.metric != Metric::kQueueDrops || by_owner(budget)) return 0;
  const auto missed = [](const NetnsReport& netns) { return std::optional(netns.last.missed.queue_drops.value_or(0)); };
  return sum_of_namespaces(budget, report, missed).value_or(0);
}

Measured count(const Budget& budget, const Report& report) {
  if (const auto needs = info(budget.metric).needs; needs != nullptr && !(report.info.probe.sees.*needs)) {
    return unmeasurable(fmt::format("the {} backend does not see {}", report.info.probe.backend, what_is_seen(needs)));
  }
  const std::uint64_t unseen = dropped_unseen(budget, report);
  const std::uint64_t sum = sum_of_owners(budget, report) + unseen;
  Measured measured = counted(budget, report, sum, budget.percent ? whole(budget, report) : 0);
  if (unseen != 0) measured.words += fmt::format(", {} of them by sockets that are not known", base::grouped(unseen));
  if (!has_row(budget, report)) measured.words += " (no row matches)";
  return measured;
}

Measured unattributed(const Budget& budget, const Report& report) {
  const auto sum = sum_of_namespaces(
      budget, report, [](const NetnsReport& netns) { return std::optional(netns.without_row.created()); });
  return counted(budget, report, sum.value_or(0), budget.percent ? whole(budget, report) : 0);
}

/// The first phase in which the peak was reached.
std::size_t peak_phase(const NetnsReport& netns, bool percent) {
  const auto reached = std::find_if(netns.phases.begin(), netns.phases.end(), [&](const Amounts& amounts) {
    return percent ? amounts.peak_percent == netns.peak_percent : amounts.in_use_peak == netns.in_use_peak;
  });
  return static_cast<std::size_t>(reached - netns.phases.begin());
}

/// The peak of the namespace where it is largest, because each namespace has a separate table. What was created until
/// then fills it.
Measured in_use_peak(const Budget& budget, const Report& report) {
  Measured worst = unmeasurable("the number of buckets in use could not be read");
  for (const NetnsReport& netns : report.namespaces) {
    if (!selected(budget, netns) || !netns.in_use_peak) continue;
    if (budget.percent && !netns.peak_percent) return unmeasurable("the limit could not be read");
    const double value = budget.percent ? *netns.peak_percent : static_cast<double>(*netns.in_use_peak);
    if (worst.value && *worst.value >= value) continue;
    worst.value = value;
    worst.scope = {&netns, 0, peak_phase(netns, budget.percent)};
    worst.words = base::grouped(*netns.in_use_peak);
    if (netns.peak_percent) {
      worst.words = fmt::format("{:.1f}% of the limit ({} in use)", *netns.peak_percent, worst.words);
    }
    if (report.namespaces.size() > 1) {
      worst.words += " in netns " + phrases::netns_words(netns.last.netns, netns.last.name);
    }
  }
  return worst;
}

Measured created_per_s_peak(const Budget& budget, const Report& report) {
  Measured busiest{0, "0/s"};
  for (const NetnsReport& netns : report.namespaces) {
    if (!selected(budget, netns) || netns.created_per_s_peak <= *busiest.value) continue;
    busiest = {netns.created_per_s_peak, base::rate(netns.created_per_s_peak) + "/s",
               Scope{&netns, netns.busiest_phase, netns.busiest_phase}};
    if (report.namespaces.size() > 1) {
      busiest.words += " in netns " + phrases::netns_words(netns.last.netns, netns.last.name);
    }
  }
  const auto more = static_cast<double>(unseen(budget, report).count);
  const double in_one_s = report.info.interval_s > 0 ? more / report.info.interval_s : more;
  busiest.range = {*busiest.value, *busiest.value + in_one_s};
  return busiest;
}

Measured missed(const Budget& budget, const Report& report) {
  const auto sum = sum_of_namespaces(budget, report, [](const NetnsReport& netns) -> std::optional<std::uint64_t> {
    if (!netns.last.missed.created || !netns.last.missed.overflow) return std::nullopt;
    return *netns.last.missed.created + *netns.last.missed.overflow;
  });
  return sum ? counted(*sum) : unmeasurable("the kernel's own counters cannot be compared on this kernel");
}

struct Rate {
  double seconds = 0;
  std::uint64_t created = 0;
  std::uint64_t unseen = 0;
  double per_s() const { return static_cast<double>(created) / seconds; }
  double most_per_s() const { return static_cast<double>(created + unseen) / seconds; }
};

Rate rate_in(const Budget& budget, const Report& report, PhaseKind kind) {
  Rate rate;
  rate.unseen = unseen(budget, report).count;
  for (std::size_t i = 0; i < report.phases.size(); ++i) {
    if (report.phases[i].kind != kind) continue;
    rate.seconds = report.phases[i].seconds;
    for (const Owner& owner : report.owners) {
      if (selected(budget, owner) && i < owner.phases.size()) rate.created += owner.phases[i].created();
    }
  }
  return rate;
}

/// From 0 to 0 nothing changed. From 0 to some is an infinite ratio.
double quotient(double now, double before) {
  if (before == 0) return now == 0 ? 1 : std::numeric_limits<double>::infinity();
  return now / before;
}

Measured ratio(const Rate& now, const Rate& before, const char* now_words, const char* before_words) {
  const std::string words =
      fmt::format("{}/s {}, {}/s {}", base::rate(now.per_s()), now_words, base::rate(before.per_s()), before_words);
  const double value = quotient(now.per_s(), before.per_s());
  Measured measured{value, (std::isinf(value) ? "infinite" : fmt::format("{:.1f}", value)) + " (" + words + ")"};
  measured.range = {quotient(now.per_s(), before.most_per_s()), quotient(now.most_per_s(), before.per_s())};
  return measured;
}

Measured ratio_of_phases(const Budget& budget, const Report& report) {
  if (!report.info.command) return unmeasurable("there is no command to compare before with during");
  const Rate before = rate_in(budget, report, PhaseKind::kBefore);
  const Rate during = rate_in(budget, report, PhaseKind::kDuring);
  if (before.seconds <= 0) return unmeasurable("nothing was watched before the command (--before 0)");
  if (during.seconds <= 0) return unmeasurable("nothing was watched during the command");
  Measured measured = ratio(during, before, "during", "before");
  const auto phase = static_cast<std::size_t>(report::phase(report, PhaseKind::kDuring) - report.phases.data());
  measured.scope = {nullptr, phase, phase};
  return measured;
}

Rate rate_of_all(const Budget& budget, const Report& report) {
  return {report.seconds, sum_of_owners(budget, report), unseen(budget, report).count};
}

base::Result<void> check_namespaces(const Budget& budget, const Report& report) {
  if (!budget.selector.asks(view::Key::kNetns)) return {};
  std::vector<model::NetnsName> namespaces;
  for (const NetnsReport& netns : report.namespaces) {
    namespaces.push_back({netns.last.id, netns.last.netns, netns.last.name});
  }
  return view::check_unambiguous(budget.selector, namespaces);
}

Measured measure(const Budget& budget, const Report& report, const Report* baseline) {
  const auto known = [&](const NetnsReport& netns) { return selected(budget, netns); };
  if (report.samples == 0) return unmeasurable("the capture ended before its first sample");
  if (std::none_of(report.namespaces.begin(), report.namespaces.end(), known) &&
      budget.selector.asks(view::Key::kNetns)) {
    return unmeasurable("no such network namespace was seen");
  }
  if (const auto clear = check_namespaces(budget, report); !clear) {
    return unmeasurable(fmt::format("{}; {}", clear.error().what, clear.error().hint));
  }
  if (!has_row(budget, report) && !names_somebody(budget, report) &&
      !(baseline != nullptr && names_somebody(budget, *baseline))) {
    return unmeasurable(nobody_words(report));
  }
  switch (budget.metric) {
    case Metric::kUnattributed:
      return unattributed(budget, report);
    case Metric::kInUsePeak:
      return in_use_peak(budget, report);
    case Metric::kCreatedPerSPeak:
      return created_per_s_peak(budget, report);
    case Metric::kMissed:
      return missed(budget, report);
    case Metric::kLostEvents:
      return counted(report.lost.events);
    case Metric::kLostCounts:
      return counted(report.lost.counts);
    case Metric::kCreatedRatio:
      if (baseline == nullptr) return ratio_of_phases(budget, report);
      if (report.seconds <= 0 || baseline->seconds <= 0) return unmeasurable("one of the captures has no sample");
      return ratio(rate_of_all(budget, report), rate_of_all(budget, *baseline), "after", "before");
    default:
      return count(budget, report);
  }
}

bool in_scope(const Scope& scope, const Owner& owner) {
  return scope.netns == nullptr ||
         (owner.row.netns_id == scope.netns->last.id && owner.row.netns == scope.netns->last.netns);
}

/// An owner's part of the budget's metric. For the size of a table these are the buckets that the owner created, or had
/// from before the start.
std::uint64_t part_of(const Budget& budget, const Scope& scope, const Owner& owner) {
  Counters counts;
  for (std::size_t i = scope.first_phase; i < owner.phases.size() && i <= scope.last_phase; ++i) {
    counts += owner.phases[i];
  }
  const MetricInfo& metric = info(budget.metric);
  if (metric.count != nullptr) return metric.count(counts);
  return counts.created() + (budget.metric == Metric::kInUsePeak ? owner.before_start : 0);
}

bool has_culprit(Metric metric) {
  return info(metric).count != nullptr || metric == Metric::kInUsePeak || metric == Metric::kCreatedPerSPeak;
}

void name_culprit(Verdict& verdict, const Report& report, const Scope& scope) {
  if (!has_culprit(verdict.budget.metric)) return;
  std::uint64_t all = 0;
  const Owner* culprit = nullptr;
  for (const Owner& owner : report.owners) {
    if (!selected(verdict.budget, owner) || !in_scope(scope, owner)) continue;
    const std::uint64_t part = part_of(verdict.budget, scope, owner);
    all += part;
    if (part <= verdict.culprit_count) continue;
    culprit = &owner;
    verdict.culprit_count = part;
  }
  if (culprit != nullptr) verdict.culprit = culprit->row;
  if (all != 0) verdict.culprit_share = static_cast<double>(verdict.culprit_count) / static_cast<double>(all);
  if (all == 0 && verdict.budget.metric == Metric::kInUsePeak) {
    verdict.words += "; nothing was created there until then, so its buckets are older than the capture";
  }
}

/// More of the capture can only make the measured value larger, and a larger one is a breach, too.
bool only_grows(const Budget& budget) {
  const bool share = budget.percent && budget.metric != Metric::kInUsePeak;
  return (budget.op == view::Op::kGreater || budget.op == view::Op::kGreaterEqual) && !share &&
         budget.metric != Metric::kCreatedRatio;
}

/// Whether what no program saw decides if the budget is exceeded.
bool is_open(const Budget& budget, const Measured& measured) {
  if (!measured.range) return false;
  const auto [least, most] = *measured.range;
  const auto exceeds = [&](double value) { return view::holds(value, budget.op, budget.value); };
  const bool equality = budget.op == view::Op::kEqual || budget.op == view::Op::kNotEqual;
  return exceeds(least) != exceeds(most) || (equality && least < budget.value && budget.value < most);
}

std::string missing_in(const Budget& budget, const Report& report, const Report* baseline) {
  std::string words = missing_for(budget, report);
  if (baseline == nullptr || budget.metric != Metric::kCreatedRatio) return words;
  if (words.empty()) words = missing_for(budget, *baseline);
  return words;
}

Verdict judge_by(const Budget& budget, const Report& report, const Report* baseline, Partial partial) {
  Verdict verdict;
  verdict.budget = budget;
  const Measured measured = measure(budget, report, baseline);
  verdict.measured = measured.value;
  verdict.words = measured.words;
  if (!measured.value) {
    verdict.state = Verdict::State::kNotMeasurable;
    return verdict;
  }
  const bool exceeded = view::holds(*measured.value, budget.op, budget.value);
  if (partial == Partial::kFails && !(exceeded && only_grows(budget))) {
    if (const std::string gone = missing_in(budget, report, baseline); !gone.empty()) {
      verdict.state = Verdict::State::kNotMeasurable;
      verdict.words = fmt::format("{}; the rest has {}", gone, measured.words);
      return verdict;
    }
  }
  if (is_open(budget, measured)) {
    const Unseen more = unseen(budget, report);
    verdict.state = Verdict::State::kNotMeasurable;
    verdict.words = more.count == 0 ? fmt::format("BEFORE lacks what no program saw; {}", measured.words)
                                    : fmt::format("there may be {} more {}; without them it is {}",
                                                  base::grouped(more.count), more.why, measured.words);
    return verdict;
  }
  if (!exceeded) return verdict;
  verdict.state = Verdict::State::kBreached;
  name_culprit(verdict, report, measured.scope);
  return verdict;
}

}  // namespace

Verdict judge(const Budget& budget, const Report& report, Partial partial) {
  return judge_by(budget, report, nullptr, partial);
}

Verdict judge(const Budget& budget, const Report& report, const Report& baseline, Partial partial) {
  return judge_by(budget, report, &baseline, partial);
}

}  // namespace twtrace::report
