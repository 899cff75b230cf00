// SPDX-License-Identifier: Apache-2.0
#include "output/chart_scale.hpp"

#include <algorithm>

namespace twtrace::output {
namespace {

/// The chart shows the limit if the table takes at least this fraction of it.
constexpr std::uint64_t kFarAbove = 4;

}  // namespace

ChartScale chart_scale(const report::Report& report) {
  ChartScale scale;
  if (report.namespaces.empty()) return scale;
  std::uint64_t in_use = 0;
  for (const report::TimelinePoint& point : report.namespaces.front().timeline) {
    in_use = std::max(in_use, point.in_use.value_or(0));
    scale.limit = std::max(scale.limit, point.limit.value_or(0));
  }
  scale.limit_shown = scale.limit != 0 && in_use >= scale.limit / kFarAbove;
  scale.top = std::max<std::uint64_t>(scale.limit_shown ? std::max(scale.limit, in_use) : in_use, 1);
  return scale;
}

}  // namespace twtrace::output
