// SPDX-License-Identifier: Apache-2.0
// The scale of a chart of the fullest namespace. Private to this folder.
#pragma once

#include <cstdint>

#include "report/report.hpp"

namespace twtrace::output {

/// What the height of a chart stands for.
struct ChartScale {
  std::uint64_t top = 1;     ///< buckets at full height
  std::uint64_t limit = 0;   ///< largest; 0: not known
  bool limit_shown = false;  ///< false: the limit is so high that it would flatten everything
};

ChartScale chart_scale(const report::Report& report);

}  // namespace twtrace::output
