// SPDX-License-Identifier: Apache-2.0
// Bounds the length of timelines.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace twtrace::report {

/// A plot cannot show more points.
inline constexpr std::size_t kMaxTimelinePoints = 1200;

/// Merges neighbours, which halves the number of points. `merged(first, second)` makes one of two.
template <class Point, class Merged>
void halve(std::vector<Point>& points, const Merged& merged) {
  std::vector<Point> fewer;
  fewer.reserve(points.size() / 2 + 1);
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) fewer.push_back(merged(points[i], points[i + 1]));
  if (points.size() % 2 != 0) fewer.push_back(points.back());
  points = std::move(fewer);
}

}  // namespace twtrace::report
