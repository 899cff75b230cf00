// SPDX-License-Identifier: Apache-2.0
#include "model/trend.hpp"

#include <utility>

#include "model/find_netns.hpp"

namespace twtrace::model {
namespace {

std::uint64_t grown(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

TableReading reading(const NetnsRow& row) {
  return {row.counts.created() + row.missed.created.value_or(0), row.counts.refused() + row.missed.overflow.value_or(0),
          row.in_use};
}

/// `before` is empty at the start: then the counts are those of the interval.
TablePoint make_point(const Snapshot& head, const NetnsRow& row, const std::optional<TableReading>& before) {
  const TableReading now = reading(row);
  TablePoint point;
  point.length_s = head.interval_s;
  point.created = grown(now.created, before ? before->created : 0);
  point.refused = grown(now.refused, before ? before->refused : 0);
  point.in_use = *now.in_use;
  point.limit = row.limit.value_or(0);
  if (before && before->in_use) {
    // The gauge and the counts are not read at the same instant. So more buckets may seem to have come than are there.
    point.removed = static_cast<double>(grown(*before->in_use + point.created, point.in_use));
  }
  return point;
}

}  // namespace

std::vector<TablePoint> trend(const History& history, std::uint64_t sample, const NetnsRow& netns) {
  std::vector<TablePoint> points;
  const std::int64_t now_ms = history.head(sample)->time_unix_ms;
  std::optional<TableReading> before;
  for (std::uint64_t kept = history.oldest(); kept <= sample; ++kept) {
    const Snapshot& head = *history.head(kept);
    const NetnsRow* row = find_netns(head.namespaces, netns.id, netns.netns);
    if (row != nullptr && row->in_use && (before || kept == 1)) {
      points.push_back(make_point(head, *row, before));
      points.back().age_s = static_cast<double>(now_ms - head.time_unix_ms) / 1000;
    }
    before = row != nullptr ? std::optional(reading(*row)) : std::nullopt;
  }
  return points;
}

void Trends::observe(Snapshot& head) {
  std::map<std::uint32_t, Recent> now;
  for (NetnsRow& row : head.namespaces) {
    auto known = by_id_.extract(row.id);
    Recent& recent = known ? now.insert(std::move(known)).position->second : now[row.id];
    for (TablePoint& point : recent.points) point.age_s += head.interval_s + head.suspended_s;
    std::erase_if(recent.points, [](const TablePoint& point) { return point.age_s >= kBucketLifetimeS; });
    if (row.in_use && (recent.last || first_)) {
      recent.points.push_back(make_point(head, row, recent.last));
      row.forecast = forecast(recent.points);
    }
    recent.last = reading(row);
  }
  by_id_ = std::move(now);
  first_ = false;
}

}  // namespace twtrace::model
