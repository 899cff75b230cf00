// SPDX-License-Identifier: Apache-2.0
#include "model/reconcile.hpp"

#include <algorithm>

namespace twtrace::model {
namespace {

std::uint64_t difference(std::uint64_t more, std::uint64_t less) { return more > less ? more - less : 0; }

}  // namespace

void Reconciler::set_start(std::uint64_t kernel_counter) {
  if (lowest_start_) return;
  lowest_start_ = highest_start_ = kernel_counter;
}

void Reconciler::narrow_start(std::uint64_t ours_before, std::uint64_t kernel_counter, std::uint64_t ours_after) {
  const std::uint64_t first = lowest_start_.value_or(kernel_counter);
  lowest_start_ = std::max(first, difference(kernel_counter, ours_after));
  highest_start_ = std::max(first, difference(kernel_counter, ours_before));
}

Reconciler::CrossCheck Reconciler::observe(std::uint64_t before, std::uint64_t ours, std::uint64_t after) {
  const std::uint64_t least = difference(before, highest_start_);
  const std::uint64_t most = difference(after, lowest_start_.value_or(0));
  // Works in both directions: a count that came late had been taken for missed.
  missed_ = std::clamp(missed_, difference(least, ours), std::max(difference(most, ours), difference(least, ours)));
  CrossCheck check;
  check.missed = missed_;
  check.kernel = std::min(ours + missed_, std::max(most, least));
  check.reconciled = missed_ == 0 && ours <= most;
  return check;
}

}  // namespace twtrace::model
