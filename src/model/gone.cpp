// SPDX-License-Identifier: Apache-2.0
#include "model/gone.hpp"

#include <algorithm>
#include <tuple>

namespace twtrace::model {
namespace {

std::uint64_t missed(const NetnsRow& netns) {
  return netns.missed.created.value_or(0) + netns.missed.overflow.value_or(0);
}

/// Larger is worth more.
auto worth(const NetnsRow& netns) {
  const bool is_wrong = netns.reconciled == false || missed(netns) != 0;
  const std::uint64_t harm = netns.counts.harm();
  return std::tuple(netns.counts.refused() != 0, harm != 0, is_wrong, netns.counts.refused(), harm,
                    netns.counts.created());
}

}  // namespace

bool nothing_counted(const NetnsRow& netns) { return netns.counts == Counters{} && missed(netns) == 0; }

std::vector<bool> folded(const std::vector<const NetnsRow*>& namespaces) {
  std::vector<bool> left_out(namespaces.size());
  std::vector<std::size_t> gone;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (!namespaces[i]->gone) continue;
    left_out[i] = true;
    if (!nothing_counted(*namespaces[i])) gone.push_back(i);
  }
  std::stable_sort(gone.begin(), gone.end(), [&](std::size_t left, std::size_t right) {
    return worth(*namespaces[left]) > worth(*namespaces[right]);
  });
  for (std::size_t i = 0; i < std::min(gone.size(), kGoneListed); ++i) left_out[gone[i]] = false;
  return left_out;
}

std::vector<bool> folded(const std::vector<NetnsRow>& namespaces) {
  std::vector<const NetnsRow*> all;
  all.reserve(namespaces.size());
  for (const NetnsRow& netns : namespaces) all.push_back(&netns);
  return folded(all);
}

}  // namespace twtrace::model
