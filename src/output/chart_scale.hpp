// SPDX-License-Identifier: Apache-2.0
// What a picture of the fullest namespace has to have room for. Private to this folder.
#pragma once

#include <cstdint>

#include "report/report.hpp"

namespace twtrace::output {

struct ChartScale {
  std::uint64_t top = 1;      ///< buckets that the full height stands for
  std::uint64_t limit = 0;    ///< largest; 0: not known
  std::uint64_t refused = 0;  ///< most in one point
  bool limit_shown = false;   ///< else the limit is so far above that it would flatten everything
};

ChartScale chart_scale(const report::Report& report);

}  // namespace twtrace::output
