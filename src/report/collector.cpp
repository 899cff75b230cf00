// SPDX-License-Identifier: Apache-2.0
#include "report/collector.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "model/forecast.hpp"

namespace twtrace::report {
namespace {

/// The clock of a sample and that of the command's start are read one after the other. An overlap up to this length
/// does not count.
constexpr std::int64_t kClockSlackMs = 20;
/// The part of an interval that a rate needs at least. A bucket in 0.03 s is not 30 per second.
constexpr double kShortestForRates = 0.8;
/// The number of destinations whose peak is kept.
constexpr std::size_t kMaxDestinations = 4096;
constexpr std::size_t kMaxQueues = 4096;

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

/// Of two limits, the one that the table had reached in any case when it refused a bucket in between.
std::optional<std::uint64_t> lower(const std::optional<std::uint64_t>& before,
                                   const std::optional<std::uint64_t>& now) {
  return before && now ? std::min(before, now) : before ? before : now;
}

/// What was counted since `seen`. Counts that fell began anew.
model::Counters grown(const model::Counters& now, const model::Counters& seen) {
  model::Counters amount = now;
  amount -= seen;
  return seen + amount == now ? amount : now;
}

/// Hides no peak.
TimelinePoint merged(const TimelinePoint& first, const TimelinePoint& second) {
  TimelinePoint both = second;
  both.begin_unix_ms = first.begin_unix_ms;
  raise(both.in_use, first.in_use);
  if (!both.limit) both.limit = first.limit;
  both.created += first.created;
  both.refused += first.refused;
  return both;
}

/// Tables that refused come first, then those in which buckets were created. A table that was full before and idle
/// since explains nothing.
auto rank(const NetnsReport& netns) {
  return std::tuple(netns.last.counts.refused() != 0, netns.last.counts.created() != 0, netns.peak_percent.value_or(0),
                    netns.last.counts.refused(), netns.last.counts.created());
}

bool more_taken(const model::PortUse& use, const model::PortUse& than) {
  // By share, because the ports may be those of a client's own range.
  return model::is_fuller(use.ports, than.ports) ||
         (!model::is_fuller(than.ports, use.ports) && use.outside > than.outside);
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

Collector::Collector(const model::CaptureInfo& info, view::Selector netns) : selector_(std::move(netns)), logs_(info) {
  report_.info = info;
  report_.begin_unix_ms = report_.end_unix_ms = info.started_unix_ms;
  for (const PhaseKind kind : phase_kinds(info)) report_.phases.push_back({kind, 0, {}, {}});
  last_samples_.resize(report_.phases.size());
  phase_samples_.resize(report_.phases.size());
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
  in_interval_ = {};
  for (const model::NetnsRow& row : head.namespaces) {
    if (is_chosen(row)) add_netns(row, interval);
  }
  end_interval(interval.seconds);
  logs_.add(head, interval.begin_unix_ms, in_interval_);
  ++phase_samples_[interval.phase];
  if (in_use_known_ > 0) raise(phase.total.in_use_peak, in_use_);
  add_ports(head);
  add_queues(head);
  cpu_seconds_ += head.cost.cpu_percent * interval.seconds;
  report_.rss_bytes_peak = std::max(report_.rss_bytes_peak, head.cost.rss_bytes);
  report_.bpf_run_ns_per_event = head.cost.bpf_run_ns_per_event;
  report_.lost = head.lost;
  report_.end_unix_ms = interval.end_unix_ms;
  last_samples_[interval.phase] = report_.samples++;
}

/// Compares each name once: a namespace keeps it.
bool Collector::is_chosen(const model::NetnsRow& row) {
  if (selector_.empty()) return true;
  const auto [known, is_new] = chosen_.try_emplace({row.id, row.netns});
  if (is_new) known->second = selector_.accepts(view::subject_of(row));
  return known->second;
}

Collector::NetnsCourse& Collector::course_of(const model::NetnsRow& row) {
  const auto [known, is_new] = netns_.try_emplace({row.id, row.netns});
  NetnsCourse& course = known->second;
  if (is_new) {
    course.report.phases.resize(report_.phases.size());
    course.samples = phase_samples_;
    course.report.began_later = report_.samples != 0;
  }
  return course;
}

void Collector::add_netns(const model::NetnsRow& row, const Interval& interval) {
  NetnsCourse& course = course_of(row);
  carry_on(course, interval.begin_unix_ms);
  ++course.samples[interval.phase];
  NetnsReport& netns = course.report;
  Amounts& amounts = netns.phases[interval.phase];
  const model::Counters amount = grown(row.counts, course.seen);
  course.seen = row.counts;
  const model::Counters counts = netns.last.counts + amount;
  if (netns.last.in_use) --in_use_known_;
  if (row.in_use) ++in_use_known_;
  in_use_ += row.in_use.value_or(0) - netns.last.in_use.value_or(0);
  if (amount.overflow() != 0) raise(netns.refused_at, lower(netns.last.limit, row.limit));
  if (row.gone && !netns.gone_unix_ms) netns.gone_unix_ms = interval.end_unix_ms;
  if (row.limit) netns.known_limit = row.limit;
  if (row.in_use) {
    netns.most_at_end = row.in_use;
  } else if (netns.most_at_end) {
    *netns.most_at_end += amount.created();
  }
  netns.last = row;
  netns.last.counts = counts;
  amounts.counts += amount;
  in_interval_ += amount;
  report_.phases[interval.phase].total.counts += amount;
  report_.totals += amount;

  const std::optional<double> percent = percent_of_limit(row);
  if (row.in_use && row.in_use > netns.in_use_peak) netns.peak_unix_ms = interval.end_unix_ms;
  // Of a peak that lasts, the last sample. In the first one, rows were counted before the gauge was read, and a burst
  // filled the table in between.
  if (row.in_use && row.in_use >= netns.in_use_peak) {
    netns.peak_sample = report_.samples;
    netns.peak_limit = row.limit;
    netns.peak_pre_existing = row.pre_existing;
  }
  raise(netns.in_use_peak, row.in_use);
  if (percent > netns.peak_percent) netns.percent_in_use = *row.in_use;
  raise(netns.peak_percent, percent);
  raise(amounts.in_use_peak, row.in_use);
  raise(amounts.peak_percent, percent);
  add_to_block(course, interval, amount.created());
  add_arrivals(course, interval, amount);
  netns.timeline.push_back(
      {interval.begin_unix_ms, interval.end_unix_ms, row.in_use, row.limit, amount.created(), amount.refused()});
  if (netns.timeline.size() > kMaxTimelinePoints) halve(netns.timeline, merged);
}

namespace {

void raise_rate(NetnsReport& netns, std::uint64_t created, double seconds, std::size_t phase) {
  const double per_s = seconds > 0 ? static_cast<double>(created) / seconds : 0;
  if (per_s <= netns.created_per_s_peak) return;
  netns.created_per_s_peak = per_s;
  netns.busiest_phase = phase;
}

}  // namespace

void Collector::add_to_block(NetnsCourse& course, const Interval& interval, std::uint64_t created) {
  if (created == 0) return;
  if (course.block != block_.number) {
    course.block_before = std::exchange(course.block, block_.number);
    course.created_in_block_before = std::exchange(course.created_in_block, 0);
    course.most_in_block = 0;
    block_.courses.push_back(&course);
  }
  course.created_in_block += created;
  if (created > course.most_in_block) {
    course.most_in_block = created;
    course.block_phase = interval.phase;
  }
  if (interval.seconds >= shortest_for_rates()) {  // alone, whatever short ones are before it
    raise_rate(course.report, created, interval.seconds, interval.phase);
  }
}

double Collector::shortest_for_rates() const { return kShortestForRates * report_.info.interval_s; }

/// Ends the block if it is long enough.
void Collector::end_interval(double seconds) {
  block_.seconds += seconds;
  if (block_.seconds < shortest_for_rates()) return;
  for (NetnsCourse* course : block_.courses) {
    raise_rate(course->report, course->created_in_block, block_.seconds, course->block_phase);
  }
  block_.courses.clear();
  block_.seconds_before = std::exchange(block_.seconds, 0);
  ++block_.number;
}

/// One that is too short has a rate together with the one before. If the whole capture is too short, its buckets count
/// as those of one whole interval.
void Collector::end_last_block() {
  const bool is_only = block_.number == 1;
  const double seconds = is_only ? report_.info.interval_s : block_.seconds_before + block_.seconds;
  for (NetnsCourse* course : block_.courses) {
    const bool was_before = !is_only && course->block_before + 1 == block_.number;
    const std::uint64_t before = was_before ? course->created_in_block_before : 0;
    raise_rate(course->report, before + course->created_in_block, seconds, course->block_phase);
  }
}

/// Nothing changed in a namespace while the samples did not mention it.
void Collector::carry_on(NetnsCourse& course, std::int64_t until_unix_ms) const {
  NetnsReport& netns = course.report;
  for (std::size_t phase = 0; phase < course.samples.size(); ++phase) {
    if (std::exchange(course.samples[phase], phase_samples_[phase]) == phase_samples_[phase]) continue;
    raise(netns.phases[phase].in_use_peak, netns.last.in_use);
    raise(netns.phases[phase].peak_percent, percent_of_limit(netns.last));
  }
  if (netns.timeline.empty() || netns.timeline.back().end_unix_ms >= until_unix_ms) return;
  const std::int64_t since_unix_ms = netns.timeline.back().end_unix_ms;
  netns.timeline.push_back({since_unix_ms, until_unix_ms, netns.last.in_use, netns.last.limit, 0, 0});
  if (netns.timeline.size() > kMaxTimelinePoints) halve(netns.timeline, merged);
}

/// Finds the 60 s (the lifetime of a bucket) in which most buckets wanted a place. While these 60 s reach back to the
/// start, the buckets from before the start count, too.
void Collector::add_arrivals(NetnsCourse& course, const Interval& interval, const model::Counters& amount) const {
  const double now_s = report_.seconds;
  NetnsReport& netns = course.report;
  if (!course.begin_s) {
    course.begin_s = now_s - interval.seconds;
    const std::uint64_t in_use = netns.last.in_use.value_or(0);
    course.older = in_use - std::min(in_use, amount.created());
  }
  const std::uint64_t count = amount.created() + amount.refused();
  if (count == 0) return;  // the peak is where something came
  course.arrivals.push_back({now_s - interval.seconds, now_s, count});
  course.arrivals_sum += count;
  course.latest_sum += count;
  while (course.arrivals[course.first_arrival].end_s <= now_s - model::kBucketLifetimeS) {
    course.arrivals_sum -= course.arrivals[course.first_arrival++].count;
  }
  while (course.arrivals[course.first_latest].end_s <= now_s - model::kForecastRateS) {
    course.latest_sum -= course.arrivals[course.first_latest++].count;
  }
  if (course.first_arrival * 2 > course.arrivals.size()) {
    const std::size_t past = std::exchange(course.first_arrival, 0);
    course.first_latest -= past;
    course.arrivals.erase(course.arrivals.begin(), course.arrivals.begin() + static_cast<std::ptrdiff_t>(past));
  }
  netns.busiest_arrivals = std::max(netns.busiest_arrivals, course.latest_sum);
  const std::uint64_t older = now_s - *course.begin_s < model::kBucketLifetimeS ? course.older : 0;
  if (course.arrivals_sum + older <= netns.demand.wanted()) return;
  netns.demand = {course.arrivals_sum, older};
}

void Collector::add_ports(const model::Snapshot& head) {
  if (!head.port_use || head.port_use == seen_ports_) return;
  seen_ports_ = head.port_use;
  report_.ports_counted = true;
  for (const model::PortUse& use : *head.port_use) {
    const PortKey key(use.netns_id, use.netns, use.destination);
    if (ports_.size() == kMaxDestinations && !ports_.contains(key)) continue;
    const auto [known, is_new] = ports_.try_emplace(key);
    PortPeak& peak = known->second;
    if (is_new) peak.use = use;
    peak.most_taken = std::max(peak.most_taken, use.for_connect().taken);
    const auto bound = std::max(use.bound, peak.use.bound);
    if (more_taken(use, peak.use)) peak.use = use;
    if (use.is_pool()) peak.use.bound = bound;
  }
}

std::size_t Collector::QueueHash::operator()(const model::ListenQueue* queue) const {
  constexpr std::size_t kFactor = 31;
  std::size_t hash = queue->service.hash();
  hash = hash * kFactor + std::hash<std::string>()(queue->comm);
  return (hash * kFactor + queue->netns_id) * kFactor + queue->port;
}

/// A snapshot has only those that drop most, so one that it does not have any more stays.
void Collector::add_queues(const model::Snapshot& head) {
  if (!head.queues || head.queues == seen_queues_) return;
  seen_queues_ = head.queues;
  for (const model::ListenQueue& queue : *head.queues) {
    const auto found = queue_of_.find(&queue);
    if (found == queue_of_.end()) {
      if (queues_.size() == kMaxQueues) continue;
      model::ListenQueue& added = queues_.emplace_back(queue);
      queue_of_.emplace(&added, &added);
      continue;
    }
    model::ListenQueue& known = *found->second;
    const model::Use longest = known.queue.taken > queue.queue.taken ? known.queue : queue.queue;
    known = queue;
    known.queue = longest;
  }
}

/// Only of the namespaces that the report is about.
void Collector::attach_settings() {
  for (auto* all : {&report_.info.settings_at_start, &report_.info.settings_at_end}) {
    std::erase_if(*all, [this](const model::NetnsSettings& settings) {
      view::Subject subject;
      subject.netns = settings.netns;
      subject.netns_id = settings.netns_id;
      subject.netns_name = settings.name;
      return !selector_.accepts(subject);
    });
  }
  const auto attach = [this](const std::vector<model::NetnsSettings>& all,
                             std::optional<model::NetnsSettings> NetnsReport::*where) {
    for (const model::NetnsSettings& settings : all) {
      if (!settings.netns_id) continue;  // whose they are cannot be told
      const auto course = netns_.find({*settings.netns_id, settings.netns});
      if (course != netns_.end()) course->second.report.*where = settings;
    }
  };
  attach(report_.info.settings_at_start, &NetnsReport::at_start);
  attach(report_.info.settings_at_end, &NetnsReport::at_end);
}

Report Collector::finish() && {
  end_last_block();
  attach_settings();
  report_.logs = std::move(logs_).finish();
  report_.ports_kept = ports_.size();
  for (auto& [key, peak] : ports_) {
    const auto course = peak.use.netns_id ? netns_.find({*peak.use.netns_id, peak.use.netns}) : netns_.end();
    if (course == netns_.end() && !selector_.empty()) {
      report_.ports_of_unknown |= !peak.use.netns_id;
      continue;
    }
    if (course != netns_.end()) {
      peak.netns_name = course->second.report.last.name;
      peak.netns_gone = course->second.report.last.gone;
    }
    (peak.use.is_pool() ? report_.port_pools : report_.ports).push_back(std::move(peak));
  }
  for (model::ListenQueue& queue : queues_) {
    queue.drops_per_s = 0;
    if (queue.drops != 0 && (selector_.empty() || netns_.contains({queue.netns_id, queue.netns}))) {
      report_.queues.push_back(std::move(queue));
    }
  }
  std::stable_sort(report_.queues.begin(), report_.queues.end(),
                   [](const auto& left, const auto& right) { return left.drops > right.drops; });
  std::vector<NetnsCourse*> courses;
  for (auto& [key, course] : netns_) {
    carry_on(course, report_.end_unix_ms);
    report_.unattributed += course.report.last.unattributed;
    courses.push_back(&course);
  }
  std::stable_sort(courses.begin(), courses.end(), [](const NetnsCourse* left, const NetnsCourse* right) {
    return rank(left->report) > rank(right->report);
  });
  const std::size_t most_points =
      std::max<std::size_t>(kMaxAllTimelinePoints / std::max<std::size_t>(courses.size(), 1), 1);
  report_.namespaces.reserve(courses.size());
  for (NetnsCourse* course : courses) {
    while (course->report.timeline.size() > most_points) halve(course->report.timeline, merged);
    report_.namespaces.push_back(std::move(course->report));
  }
  for (std::size_t i = 0; i < report_.phases.size() && !report_.namespaces.empty(); ++i) {
    report_.phases[i].fullest = report_.namespaces.front().phases[i];
    if (report_.namespaces.size() == 1) report_.phases[i].total = report_.phases[i].fullest;
  }
  std::stable_sort(report_.ports.begin(), report_.ports.end(), [](const PortPeak& left, const PortPeak& right) {
    return model::is_fuller(left.use.ports, right.use.ports);
  });
  if (report_.seconds > 0) report_.cpu_percent_mean = cpu_seconds_ / report_.seconds;
  return std::move(report_);
}

}  // namespace twtrace::report
