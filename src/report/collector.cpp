// SPDX-License-Identifier: Apache-2.0
#include "report/collector.hpp"

#include <algorithm>
#include <tuple>

#include "model/forecast.hpp"

namespace twtrace::report {
namespace {

/// The clock of a sample and that of the command's start are read one after the other: so much of an overlap is none.
constexpr std::int64_t kClockSlackMs = 20;
/// Destinations whose peak is kept.
constexpr std::size_t kMaxDestinations = 4096;

void raise(std::optional<std::uint64_t>& peak, const std::optional<std::uint64_t>& value) {
  if (value && (!peak || *value > *peak)) peak = value;
}

void raise(std::optional<double>& peak, const std::optional<double>& value) {
  if (value && (!peak || *value > *peak)) peak = value;
}

std::optional<double> percent_of_limit(const model::NetnsRow& row) {
  if (!row.in_use || row.limit.value_or(0) == 0) return std::nullopt;
  return 100.0 * static_cast<double>(*row.in_use) / static_cast<double>(*row.limit);
}

/// What was counted since `seen`. A namespace whose counts fell is another one with the same number and name.
model::Counters grown(const model::Counters& now, const model::Counters& seen) {
  model::Counters amount = now;
  amount -= seen;
  return seen + amount == now ? amount : now;
}

TimelinePoint merged(const TimelinePoint& first, const TimelinePoint& second) {
  TimelinePoint both = second;
  both.begin_unix_ms = first.begin_unix_ms;
  raise(both.in_use, first.in_use);
  if (!both.limit) both.limit = first.limit;
  both.created += first.created;
  both.refused += first.refused;
  return both;
}

/// Neighbours become one: half as many points, of which none hides a peak.
void halve(std::vector<TimelinePoint>& points) {
  std::vector<TimelinePoint> fewer;
  fewer.reserve(points.size());
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) fewer.push_back(merged(points[i], points[i + 1]));
  if (points.size() % 2 != 0) fewer.push_back(points.back());
  points = std::move(fewer);
}

void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& more) {
  if (more) sum = sum.value_or(0) + *more;
}

/// A namespace that is gone and a new one with its number are one line of the report.
std::vector<model::NetnsRow> one_per_number(const std::vector<model::NetnsRow>& rows) {
  std::vector<model::NetnsRow> result;
  for (const model::NetnsRow& row : rows) {
    const auto same = std::find_if(result.begin(), result.end(),
                                   [&](const model::NetnsRow& known) { return known.netns == row.netns; });
    if (same == result.end()) {
      result.push_back(row);
      continue;
    }
    model::NetnsRow both = same->gone ? row : *same;
    both.counts = same->counts + row.counts;
    both.unattributed = same->unattributed + row.unattributed;
    const model::NetnsRow& other = same->gone ? *same : row;
    add(both.missed.created, other.missed.created);
    add(both.missed.overflow, other.missed.overflow);
    add(both.kernel.listen_overflows, other.kernel.listen_overflows);
    add(both.kernel.listen_drops, other.kernel.listen_drops);
    // Of two tables, comparable with neither.
    both.kernel.created = both.kernel.overflow = both.kernel.reused = std::nullopt;
    both.reconciled.reset();
    *same = std::move(both);
  }
  return result;
}

/// A table that refused comes first, then those in which something was created: one that was full before and idle since
/// explains nothing.
auto rank(const NetnsReport& netns) {
  return std::tuple(netns.last.counts.refused() != 0, netns.last.counts.created() != 0, netns.peak_percent.value_or(0),
                    netns.last.counts.refused(), netns.last.counts.created());
}

}  // namespace

std::vector<PhaseKind> phase_kinds(const model::CaptureInfo& info) {
  if (!info.command) return {PhaseKind::kWhole};
  return {PhaseKind::kBefore, PhaseKind::kDuring, PhaseKind::kAfter};
}

std::size_t phase_of(std::int64_t begin, std::int64_t end, const model::CaptureInfo& info) {
  constexpr std::size_t kBefore = 0;
  constexpr std::size_t kDuring = 1;
  constexpr std::size_t kAfter = 2;
  if (!info.command) return 0;
  if (!info.command->started_unix_ms) return kBefore;
  const std::int64_t started = *info.command->started_unix_ms;
  const std::int64_t ended = info.command->ended_unix_ms.value_or(std::max(started, end));
  const bool inside = begin <= started && ended <= end;
  const std::int64_t overlap = std::min(end, ended) - std::max(begin, started);
  if (overlap > kClockSlackMs || (inside && overlap >= 0)) return kDuring;
  return begin + end < started + ended ? kBefore : kAfter;
}

Collector::Collector(const model::CaptureInfo& info) {
  report_.info = info;
  report_.begin_unix_ms = report_.end_unix_ms = info.started_unix_ms;
  for (const PhaseKind kind : phase_kinds(info)) report_.phases.push_back({kind, 0, {}, {}});
  last_samples_.resize(report_.phases.size());
}

Collector::Interval Collector::interval_of(const model::Snapshot& head) const {
  Interval interval;
  interval.end_unix_ms = head.time_unix_ms;
  interval.begin_unix_ms = std::min(report_.end_unix_ms, head.time_unix_ms);
  interval.seconds = head.interval_s;
  interval.phase = phase_of(interval.begin_unix_ms, interval.end_unix_ms, report_.info);
  return interval;
}

void Collector::add(const model::Snapshot& head) {
  const Interval interval = interval_of(head);
  Phase& phase = report_.phases[interval.phase];
  phase.seconds += interval.seconds;
  report_.seconds += interval.seconds;
  std::optional<std::uint64_t> in_use;
  for (const model::NetnsRow& row : one_per_number(head.namespaces)) {
    add_netns(row, interval);
    if (row.in_use) in_use = in_use.value_or(0) + *row.in_use;
  }
  raise(phase.total.in_use_peak, in_use);
  add_ports(head);
  cpu_seconds_ += head.cost.cpu_percent * interval.seconds;
  report_.rss_bytes_peak = std::max(report_.rss_bytes_peak, head.cost.rss_bytes);
  report_.bpf_run_ns_per_event = head.cost.bpf_run_ns_per_event;
  report_.lost = head.lost;
  report_.end_unix_ms = interval.end_unix_ms;
  last_samples_[interval.phase] = report_.samples++;
}

void Collector::add_netns(const model::NetnsRow& row, const Interval& interval) {
  NetnsCourse& course = netns_[row.netns];
  NetnsReport& netns = course.report;
  netns.phases.resize(report_.phases.size());
  Amounts& amounts = netns.phases[interval.phase];
  const model::Counters amount = grown(row.counts, course.seen);
  course.seen = row.counts;
  const model::Counters counts = netns.last.counts + amount;
  netns.last = row;
  netns.last.counts = counts;
  amounts.counts += amount;
  report_.phases[interval.phase].total.counts += amount;
  report_.totals += amount;

  const std::optional<double> percent = percent_of_limit(row);
  if (row.in_use && row.in_use > netns.in_use_peak) netns.peak_unix_ms = interval.end_unix_ms;
  raise(netns.in_use_peak, row.in_use);
  raise(netns.peak_percent, percent);
  raise(amounts.in_use_peak, row.in_use);
  raise(amounts.peak_percent, percent);

  const std::uint64_t arrived = amount.created() + amount.refused();
  if (interval.seconds > 0) {
    netns.created_per_s_peak =
        std::max(netns.created_per_s_peak, static_cast<double>(amount.created()) / interval.seconds);
  }
  course.arrivals.push_back({interval.seconds, arrived});
  Arrivals window;
  for (auto recent = course.arrivals.rbegin(); recent != course.arrivals.rend(); ++recent) {
    window.seconds += recent->seconds;
    window.count += recent->count;
    if (window.seconds < model::kForecastRateS) continue;
    course.arrivals.erase(course.arrivals.begin(), recent.base() - 1);
    break;
  }
  // Shorter than the window: what came in a moment is not taken to go on.
  const double over_s = std::max(window.seconds, model::kForecastRateS);
  netns.arrivals_per_s_peak = std::max(netns.arrivals_per_s_peak, static_cast<double>(window.count) / over_s);

  netns.timeline.push_back(
      {interval.begin_unix_ms, interval.end_unix_ms, row.in_use, row.limit, amount.created(), amount.refused()});
  if (netns.timeline.size() > kMaxTimelinePoints) halve(netns.timeline);
}

void Collector::add_ports(const model::Snapshot& head) {
  if (!head.port_use) return;
  for (const model::PortUse& use : *head.port_use) {
    const auto known = ports_.find({use.netns, use.destination});
    if (known == ports_.end()) {
      if (ports_.size() < kMaxDestinations) ports_[{use.netns, use.destination}].use = use;
    } else if (use.ports.taken > known->second.use.ports.taken) {
      known->second.use = use;
    }
  }
}

void Collector::attach_settings() {
  const auto attach = [this](const std::vector<model::NetnsSettings>& all,
                             std::optional<model::NetnsSettings> NetnsReport::*where) {
    for (const model::NetnsSettings& settings : all) {
      const auto course = netns_.find(settings.netns);
      if (course != netns_.end()) course->second.report.*where = settings;
    }
  };
  attach(report_.info.settings_at_start, &NetnsReport::at_start);
  attach(report_.info.settings_at_end, &NetnsReport::at_end);
}

Report Collector::finish() && {
  attach_settings();
  for (auto& [key, course] : netns_) {
    report_.unattributed += course.report.last.unattributed;
    report_.namespaces.push_back(std::move(course.report));
  }
  std::stable_sort(report_.namespaces.begin(), report_.namespaces.end(),
                   [](const NetnsReport& left, const NetnsReport& right) { return rank(left) > rank(right); });
  for (std::size_t i = 0; i < report_.phases.size() && !report_.namespaces.empty(); ++i) {
    report_.phases[i].fullest = report_.namespaces.front().phases[i];
    if (report_.namespaces.size() == 1) report_.phases[i].total = report_.phases[i].fullest;
  }
  for (auto& [key, peak] : ports_) {
    for (const NetnsReport& netns : report_.namespaces) {
      if (netns.last.netns == peak.use.netns) peak.netns_name = netns.last.name;
    }
    report_.ports.push_back(std::move(peak));
  }
  std::stable_sort(report_.ports.begin(), report_.ports.end(), [](const PortPeak& left, const PortPeak& right) {
    return left.use.ports.taken * right.use.ports.of > right.use.ports.taken * left.use.ports.of;
  });
  if (report_.seconds > 0) report_.cpu_percent_mean = cpu_seconds_ / report_.seconds;
  return std::move(report_);
}

}  // namespace twtrace::report
