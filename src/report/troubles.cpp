// SPDX-License-Identifier: Apache-2.0
#include "report/troubles.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "model/fill.hpp"
#include "view/troubles.hpp"

namespace twtrace::report {
namespace {

constexpr std::size_t kMostNamespaces = 16;
/// The fullest ones. A report shows the first few troubles. Each costs a look at the rows of a namespace.
constexpr std::size_t kMostDestinations = 64;
/// A backend that counts live buckets by scans may know who fills a table only so many samples later.
constexpr int kLatestSamples = 3;

/// The most buckets were in use after the limit had been raised, but the table was full before that. Which sample has
/// the rows of that time is not known.
bool had_more_later(const NetnsReport& netns) {
  return netns.refused_at && netns.peak_limit > netns.refused_at && netns.in_use_peak > netns.refused_at;
}

/// As it was when the table was fullest, with what was refused until the end of the capture.
model::NetnsRow at_peak(const NetnsReport& netns) {
  model::NetnsRow row = netns.last;
  row.gone = false;
  row.in_use = had_more_later(netns) ? netns.refused_at : netns.in_use_peak;
  row.limit = netns.refused_at && netns.peak_limit ? std::min(netns.peak_limit, netns.refused_at) : netns.peak_limit;
  row.pre_existing = netns.peak_pre_existing;
  row.created_per_s = row.overflow_per_s = 0;
  return row;
}

/// `with_queues`: the namespaces in which a queue dropped something.
bool is_trouble(const NetnsReport& netns, const std::set<std::uint32_t>& with_queues) {
  const model::Counters& counts = netns.last.counts;
  return with_queues.contains(netns.last.id) || counts.overflow() != 0 || counts.no_port != 0 ||
         model::is_full(netns.in_use_peak, netns.peak_limit);
}

}  // namespace

TroubleCollector::TroubleCollector(const Report& report) {
  fullest_.interval_s = 1;
  auto ports = std::make_shared<std::vector<model::PortUse>>();
  std::set<std::uint32_t> with_ports;
  for (const PortPeak& peak : report.ports) {
    if (!peak.use.netns_id || !model::is_nearly_full(peak.use.ports.taken, peak.use.ports.of)) continue;
    if (with_ports.size() == kMostNamespaces && !with_ports.contains(*peak.use.netns_id)) continue;
    if (ports->size() == kMostDestinations) break;
    with_ports.insert(*peak.use.netns_id);
    ports->push_back(peak.use);
  }
  for (const PortPeak& pool : report.port_pools) {
    if (!pool.use.netns_id || ports->size() == 2 * kMostDestinations) continue;
    if (with_ports.size() == kMostNamespaces && !with_ports.contains(*pool.use.netns_id)) continue;
    // If connect() and bind() found ports there, and the pool alone is full, nobody was hurt.
    const model::Use use = pool.use.for_connect();
    if (model::is_nearly_full(use.taken, use.of)) with_ports.insert(*pool.use.netns_id);
    ports->push_back(pool.use);
  }
  fullest_.port_use = std::move(ports);
  const std::size_t queues = std::min(report.queues.size(), model::kMostQueues);  // those that dropped most
  fullest_.queues = std::make_shared<std::vector<model::ListenQueue>>(
      report.queues.begin(), report.queues.begin() + static_cast<std::ptrdiff_t>(queues));
  std::set<std::uint32_t> with_queues;
  for (const model::ListenQueue& queue : report.queues) with_queues.insert(queue.netns_id);
  std::size_t tables = 0;
  for (const NetnsReport& netns : report.namespaces) {
    const bool table = tables < kMostNamespaces && is_trouble(netns, with_queues);
    if (!table && !with_ports.contains(netns.last.id)) continue;
    if (table) {
      ++tables;
      if (!had_more_later(netns)) by_sample_[netns.peak_sample].push_back({fullest_.namespaces.size(), 0});
    }
    fullest_.namespaces.push_back(at_peak(netns));
  }
}

void TroubleCollector::look(const model::Source& source, std::uint64_t sample, const std::vector<Look>& looks) {
  model::Snapshot head;
  head.interval_s = 1;
  for (const Look& each : looks) {
    head.namespaces.push_back(fullest_.namespaces[each.netns]);
    head.namespaces.back().counts = {};  // who was refused until the end is not looked for here
  }
  for (model::Trouble& trouble : view::find_troubles(source, head, {})) {
    if (trouble.kind == model::Trouble::Kind::kFull) at_peak_[trouble.netns_id] = std::move(trouble);
  }
  for (const Look& each : looks) {
    const auto found = at_peak_.find(fullest_.namespaces[each.netns].id);
    if (found == at_peak_.end() || found->second.holder || each.later == kLatestSamples) continue;
    by_sample_[sample + 1].push_back({each.netns, each.later + 1});
  }
}

void TroubleCollector::add(const model::Source& source, std::uint64_t sample, bool last) {
  if (const auto looks = by_sample_.find(sample); looks != by_sample_.end()) look(source, sample, looks->second);
  if (!last || fullest_.namespaces.empty()) return;
  troubles_ = view::find_troubles(source, fullest_, {}, view::Connects::kEver);
  for (model::Trouble& trouble : troubles_) {
    // A table with a limit of 0 has no percentage, but a refusal shows that it was full.
    const bool has_no_place = trouble.use && trouble.use->of == 0;
    if (trouble.kind == model::Trouble::Kind::kRefused && has_no_place) trouble.kind = model::Trouble::Kind::kFull;
    if (trouble.kind != model::Trouble::Kind::kFull) continue;
    model::Trouble& peak = at_peak_[trouble.netns_id];
    trouble.holder = std::move(peak.holder);
    trouble.older = std::move(peak.older);
  }
  const auto hurt = [](const model::Trouble& trouble) {
    const auto count = [](const std::optional<model::Party>& party) { return party ? party->buckets : 0; };
    return count(trouble.refused) + count(trouble.unconnected) + (trouble.queue ? trouble.queue->drops : 0);
  };
  std::stable_sort(troubles_.begin(), troubles_.end(),
                   [&](const model::Trouble& left, const model::Trouble& right) { return hurt(left) > hurt(right); });
}

}  // namespace twtrace::report
