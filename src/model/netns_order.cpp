// SPDX-License-Identifier: Apache-2.0
#include "model/netns_order.hpp"

#include <algorithm>

namespace twtrace::model {
namespace {

double fill(const NetnsRow& row) {
  if (!row.limit || !row.in_use || *row.limit == 0) return 0;
  return static_cast<double>(*row.in_use) / static_cast<double>(*row.limit);
}

}  // namespace

void sort_fullest_first(std::vector<NetnsRow>& namespaces) {
  std::stable_sort(namespaces.begin(), namespaces.end(), [](const NetnsRow& left, const NetnsRow& right) {
    if (left.gone != right.gone) return right.gone;
    if (fill(left) != fill(right)) return fill(left) > fill(right);
    return left.counts.created() > right.counts.created();
  });
}

}  // namespace twtrace::model
