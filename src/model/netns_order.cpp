// SPDX-License-Identifier: Apache-2.0
#include "model/netns_order.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace twtrace::model {
namespace {

double fill(const NetnsRow& row) {
  if (!row.limit || !row.in_use || *row.limit == 0) return 0;
  return static_cast<double>(*row.in_use) / static_cast<double>(*row.limit);
}

}  // namespace

void sort_fullest_first(std::vector<NetnsRow>& namespaces) {
  const auto comes_before = [](const NetnsRow& left, const NetnsRow& right) {
    if (left.gone != right.gone) return right.gone;
    if (fill(left) != fill(right)) return fill(left) > fill(right);
    return left.counts.created() > right.counts.created();
  };
  // Rows are large, so each is moved once, and none if nothing happened that changes the order.
  std::vector<std::size_t> order(namespaces.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return comes_before(namespaces[left], namespaces[right]);
  });
  if (std::is_sorted(order.begin(), order.end())) return;
  std::vector<NetnsRow> sorted;
  sorted.reserve(namespaces.size());
  for (const std::size_t place : order) sorted.push_back(std::move(namespaces[place]));
  namespaces = std::move(sorted);
}

}  // namespace twtrace::model
