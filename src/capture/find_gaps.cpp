// SPDX-License-Identifier: Apache-2.0
#include "capture/find_gaps.hpp"

#include <utility>

#include "capture/sample_rows.hpp"

namespace twtrace::capture {
namespace {

struct Walk {
  SampleRows samples, suspensions, namespaces;
  model::GapFinder finder;

  bool interval(std::int64_t sample) {
    Columns row = samples.row(sample);
    model::GapFinder::Interval interval;
    interval.end_unix_ms = row.unix_ms();
    interval.seconds = row.length();
    samples.next();
    bool ok = row.ok();
    for (; suspensions.at(sample) && ok; suspensions.next()) {
      Columns slept = suspensions.row(sample);
      interval.suspended_s += slept.length();
      ok = slept.ok();
    }
    if (ok) finder.add_interval(interval);
    return ok;
  }

  bool netns(std::int64_t sample) {
    for (; namespaces.at(sample); namespaces.next()) {
      Columns row = namespaces.row(sample);
      const auto id = row.number<std::uint32_t>();
      const bool gone = row.flag();
      const bool read = row.flag();
      if (!row.ok()) return false;
      finder.add_netns(id, read, gone);
    }
    return true;
  }
};

}  // namespace

base::Result<std::vector<model::Gap>> find_gaps(const Database& database, const model::CaptureInfo& info) {
  auto samples = SampleRows::open(database, "SELECT id, time_unix_ms, interval_s FROM sample ORDER BY id");
  auto suspensions = open_suspensions(database);
  auto namespaces =
      SampleRows::open(database, "SELECT sample, netns, gone, in_use IS NOT NULL FROM netns_sample ORDER BY id");
  for (const auto* opened : {&samples, &suspensions, &namespaces}) {
    if (!*opened) return tl::unexpected(opened->error());
  }
  Walk walk{std::move(*samples), std::move(*suspensions), std::move(*namespaces),
            model::GapFinder(info.interval_s, info.started_unix_ms)};
  for (std::int64_t sample = 1; walk.samples.at(sample); ++sample) {
    if (!walk.interval(sample) || !walk.netns(sample)) break;
  }
  return std::move(walk.finder).finish(info.ended_unix_ms);
}

}  // namespace twtrace::capture
