// SPDX-License-Identifier: Apache-2.0
#include "output/metric_fold.hpp"

#include <algorithm>
#include <utility>

#include "base/escape.hpp"
#include "model/row_table.hpp"
#include "output/metric_families.hpp"
#include "view/row_id.hpp"

namespace twtrace::output {
namespace {

constexpr std::size_t kMostColumns = 400;
constexpr const char* kHost = "host";

const WorkloadLabels kOtherWorkload{kFolded, kFolded, "", "", ""};
const WorkloadLabels kUnattributedWorkload{"unattributed", "unattributed", "", "", ""};

using Count = std::optional<std::uint64_t>;

/// What `now` is above `before`, 0 for an unknown or smaller one.
std::uint64_t increase(const Count& now, const Count& before) {
  const std::uint64_t begin = before.value_or(0);
  return now && *now > begin ? *now - begin : 0;
}

/// Adds to `sum` what the kernel has counted since `before`, which then is the most so far. An unknown count adds
/// nothing, and makes no sum known.
void take_increase(Count& sum, Count& before, const Count& now) {
  if (!now) return;
  sum = sum.value_or(0) + increase(now, before);
  before = std::max(*now, before.value_or(0));
}

/// Lets the sums of all that the kernel counts in a namespace begin at 0.
void begin_sums(NamespaceMetrics& sums, const model::NetnsRow& netns) {
  const auto begin = [](Count& sum, const Count& now) {
    if (now) sum = sum.value_or(0);
  };
  for (const auto& [metric, count] : kKernelMetrics) begin(sums.kernel.*count, netns.kernel.*count);
  for (const auto& [what, count] : kMissedMetrics) begin(sums.missed.*count, netns.missed.*count);
}

void add_to(Count& sum, const Count& more) {
  if (more) sum = sum.value_or(0) + *more;
}

model::Counters increase(const model::Counters& now, const model::Counters& before) {
  model::Counters result = now;
  return result -= before;
}

/// Whether a workload has counted anything. The end of its buckets is counted after that of its processes, too.
bool counts_something(const model::Counters& more) {
  return std::any_of(kWorkloadCounts.begin(), kWorkloadCounts.end(),
                     [&more](const WorkloadCount& count) { return count.of(more) != 0; });
}

WorkloadLabels labels_of(const model::Identity& who) {
  WorkloadLabels labels;
  labels.workload = label_text(who.service.name.empty() ? who.comm : who.service.name);
  labels.kind = label_text(who.service.kind);
  labels.comm = label_text(who.comm);
  labels.role = model::to_string(who.role);
  if (who.port != 0) labels.port = std::to_string(who.port);
  return labels;
}

}  // namespace

std::string label_text(std::string_view name) {
  std::string text;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('\n', begin), name.size());
    if (begin != 0) text += '\n';
    text += base::sanitize_terminal(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return base::fit(text, kMostColumns);
}

MetricFold::MetricFold(const MetricLimits& limits) : limits_(limits) {
  // An increase is only seen of a series that was there before: both take what has no series yet.
  labelled(kHost);
  labelled(kFolded);
}

void MetricFold::observe(model::Snapshot head, const model::Source& source, const view::Selector& shown) {
  now_s_ = head.uptime_s;
  boottime_ns_ = head.boottime_ns;
  ++observations_;
  take_namespaces(head, shown.empty());
  take_ports(head);
  std::map<std::uint32_t, const model::NetnsInfo*> infos;
  if (!shown.empty()) {
    for (const model::NetnsInfo& netns : source.namespaces()) infos.emplace(netns.id, &netns);
  }
  source.visit([&](const model::Fact& fact) {
    const auto netns = infos.find(fact.identity.netns);
    const bool is_shown =
        shown.empty() || (netns != infos.end() && shown.accepts(view::subject_of(fact, *netns->second)));
    if (is_shown) take_fact(fact);
  });
  forget_unseen(head);
  head_ = std::make_shared<const model::Snapshot>(std::move(head));
}

NamespaceMetrics& MetricFold::labelled(const std::string& label) {
  const auto [found, is_new] = namespaces_.try_emplace(label);
  if (is_new) found->second.workloads[kOtherWorkload];
  return found->second;
}

bool MetricFold::admit(std::size_t series) {
  if (series_ + series > limits_.max_series) {
    full_ = true;
    return false;
  }
  series_ += series;
  return true;
}

/// The label of its own that a namespace should have; "other" if it should have none.
std::string MetricFold::label_of(const model::NetnsRow& netns, const Place& place) const {
  if (netns.name == kHost) return kHost;
  if (limits_.namespaces == MetricNamespaces::kHost || netns.id == model::kForgottenNetns) return kFolded;
  if (!netns.name.empty() && !netns.is_container) return label_text(netns.name);
  const std::string& container = netns.name.empty() ? place.container : netns.name;
  if (limits_.namespaces == MetricNamespaces::kNamed || container.empty()) return kFolded;
  return label_text(container);
}

/// Gives a namespace its label, which it keeps unless that is "other". Those of the first sample were there before. A
/// new label has all its series one sample before anything is counted there.
void MetricFold::place(const model::NetnsRow& netns, Place& place) {
  NamespaceMetrics& other = labelled(kFolded);
  if (place.into != nullptr && place.into != &other) return;
  place.into = place.next != nullptr ? place.next : &other;
  if (place.next != nullptr) return;
  const std::string label = label_of(netns, place);
  const bool exists = namespaces_.contains(label);
  const bool is_old = observations_ == 1 || is_old_since(place.first_seen_s);
  if (label != kHost && !exists && (!is_old || !admit(kSeriesPerNamespace + kSeriesPerWorkload))) return;
  if (exists || observations_ == 1 || limits_.min_age_s <= 0) {
    place.into = &labelled(label);
  } else {
    place.next = &labelled(label);
    begin_sums(*place.next, netns);
  }
}

void MetricFold::take_namespaces(const model::Snapshot& head, bool with_unattributed) {
  const Count live = head.live_age_s ? Count(0) : Count();
  for (auto& [label, netns] : namespaces_) {
    netns.in_use.reset();
    netns.limit.reset();
    netns.ports_taken.reset();
    for (auto& [labels, workload] : netns.workloads) workload.live = live;
  }
  for (const model::NetnsRow& netns : head.namespaces) {
    const auto [found, is_new] = places_.try_emplace(netns.id);
    if (is_new) found->second.first_seen_s = now_s_;
    found->second.local_ports = netns.local_ports.value_or(found->second.local_ports);
    begin_sums(labelled(kFolded), netns);
    place(netns, found->second);
    take_namespace(netns, found->second);
    if (with_unattributed) take_unattributed(netns, found->second);
  }
}

void MetricFold::take_namespace(const model::NetnsRow& netns, Place& place) {
  NamespaceMetrics& into = *place.into;
  const model::Counters own = increase(netns.counts, netns.moved);
  into.counts += increase(own, place.counts);
  place.counts = own;
  for (const auto& [metric, count] : kKernelMetrics) {
    take_increase(into.kernel.*count, place.kernel.*count, netns.kernel.*count);
  }
  // What was missed in namespaces that are forgotten moves with their counts, and was taken before.
  for (const auto& [what, count] : kMissedMetrics) {
    if (!(netns.moved == model::Counters{})) break;
    take_increase(into.missed.*count, place.missed.*count, netns.missed.*count);
  }
  if (netns.gone) return;
  add_to(into.in_use, netns.in_use);
  if (&into != &labelled(kFolded)) add_to(into.limit, netns.limit);
}

void MetricFold::take_ports(const model::Snapshot& head) {
  if (!head.port_use) return;
  for (const model::PortUse& use : *head.port_use) {
    const model::Use ports = use.for_connect();
    if (!use.netns_id || ports.of == 0) continue;
    std::optional<double>& fullest = namespace_of(*use.netns_id).ports_taken;
    fullest = std::max(fullest.value_or(0), static_cast<double>(ports.taken) / static_cast<double>(ports.of));
  }
}

NamespaceMetrics& MetricFold::namespace_of(std::uint32_t id) {
  const auto found = places_.find(id);
  return found == places_.end() ? labelled(kFolded) : *found->second.into;
}

void MetricFold::take_fact(const model::Fact& fact) {
  if (fact.kind == model::RowKind::kBeforeStart) return;  // a workload has what was made since the start
  NamespaceMetrics& netns = namespace_of(fact.identity.netns);
  const model::Counters more = increase(fact.counts, fact.previous);
  const bool is_idle = more == model::Counters{} && fact.live.value_or(0) == 0;
  // One that has never counted anything here needs no series: rows of a namespace that is forgotten become another's.
  if (is_idle && !known_.contains(view::row_id(fact, model::Group::kProcess))) return;
  WorkloadMetrics& workload = series_of(fact, netns, counts_something(more));
  countable(workload, netns).counts += more;
  add_to(workload.live, fact.live);
}

/// The series, or "other" in the sample that makes it: whoever scrapes has to see it once before it grows.
WorkloadMetrics& MetricFold::countable(WorkloadMetrics& series, NamespaceMetrics& netns) const {
  const bool begins = series.since == observations_ && limits_.min_age_s > 0;
  return begins ? netns.workloads.at(kOtherWorkload) : series;
}

/// The series appears with its first count: in most namespaces there is nothing without an owner.
void MetricFold::take_unattributed(const model::NetnsRow& netns, Place& place) {
  const model::Counters own = increase(netns.unattributed, netns.moved_unattributed);
  const model::Counters more = increase(own, place.unattributed);
  place.unattributed = own;
  if (more == model::Counters{}) return;
  const auto [series, is_new] = place.into->workloads.try_emplace(kUnattributedWorkload);
  if (is_new) series->second.since = observations_;
  countable(series->second, *place.into).counts += more;
}

WorkloadMetrics& MetricFold::series_of(const model::Fact& fact, NamespaceMetrics& netns, bool counts) {
  WorkloadMetrics& other = netns.workloads.at(kOtherWorkload);
  if (fact.kind != model::RowKind::kNormal) return other;
  Known& row = known(fact);
  if (row.in != &netns) find_workload(row, fact.identity, netns);
  if (row.many != nullptr) {
    Workload& many = row.many->second;
    many.seen = observations_;
    if (counts) many.ports.count(fact.identity.port, now_s_);
    if (row.into == row.many && many.ports.is_fixed(fact.identity.port)) {
      row.into = &workload(labels_of(fact.identity), netns, row.first_seen_s);
    }
  }
  Workload& into = row.into->second;
  into.seen = observations_;
  if (into.series != nullptr) return *into.series;
  if (!is_old_since(into.first_seen_s) || (fact.exited && !counts) || !admit(kSeriesPerWorkload)) return other;
  into.series = &netns.workloads[row.into->first.second];
  into.series->since = observations_;
  return *into.series;
}

/// How long the process has run, 0 if that is not known. The clocks of the start and of the sample are the same one.
double MetricFold::age_s(const model::Identity& who) const {
  if (who.start_ns == 0 || boottime_ns_ < who.start_ns) return 0;
  return static_cast<double>(boottime_ns_ - who.start_ns) * 1e-9;
}

MetricFold::Known& MetricFold::known(const model::Fact& fact) {
  const auto [found, is_new] = known_.try_emplace(view::row_id(fact, model::Group::kProcess));
  Known& known = found->second;
  known.seen = observations_;
  if (!is_new) return known;
  known.first_seen_s = now_s_ - age_s(fact.identity);
  const auto place = places_.find(fact.identity.netns);
  if (place != places_.end() && place->second.container.empty()) {
    place->second.container = base::container_name(fact.identity.service);
  }
  return known;
}

void MetricFold::find_workload(Known& known, const model::Identity& who, NamespaceMetrics& netns) {
  WorkloadLabels labels = labels_of(who);
  const auto place = places_.find(who.netns);
  const bool may_be_ephemeral = (place == places_.end() ? kUsualLocalPorts : place->second.local_ports).has(who.port);
  if (may_be_ephemeral) labels.port.clear();
  known.in = &netns;
  known.into = &workload(std::move(labels), netns, known.first_seen_s);
  known.many = may_be_ephemeral ? known.into : nullptr;
}

MetricFold::Workloads::value_type& MetricFold::workload(WorkloadLabels labels, NamespaceMetrics& netns,
                                                        double first_seen_s) {
  const auto [found, is_new] = workloads_.try_emplace({&netns, std::move(labels)});
  Workload& workload = found->second;
  workload.first_seen_s = is_new ? first_seen_s : std::min(workload.first_seen_s, first_seen_s);
  const auto series = netns.workloads.find(found->first.second);
  if (series != netns.workloads.end()) workload.series = &series->second;
  return *found;
}

/// Rows are folded into others when there are too many, and namespaces go. Their series stay.
void MetricFold::forget_unseen(const model::Snapshot& head) {
  std::erase_if(known_, [this](const auto& known) { return known.second.seen != observations_; });
  std::erase_if(workloads_, [this](const auto& workload) { return workload.second.seen != observations_; });
  if (places_.size() == head.namespaces.size()) return;
  std::erase_if(places_, [&head](const auto& place) {
    return std::none_of(head.namespaces.begin(), head.namespaces.end(),
                        [&place](const model::NetnsRow& netns) { return netns.id == place.first; });
  });
}

}  // namespace twtrace::output
