// SPDX-License-Identifier: Apache-2.0
#include "model/reconcile.hpp"

#include <algorithm>

namespace twtrace::model {

void Reconciler::set_start(std::uint64_t kernel_counter) {
  if (!start_) start_ = kernel_counter;
}

void Reconciler::narrow_start(std::uint64_t kernel_counter, std::uint64_t ours) {
  const std::uint64_t first = start_.value_or(kernel_counter);
  const std::uint64_t if_nothing_missed = kernel_counter >= ours ? kernel_counter - ours : 0;
  start_ = std::clamp(if_nothing_missed, std::min(first, kernel_counter), kernel_counter);
}

Reconciler::Verdict Reconciler::observe(std::uint64_t before, std::uint64_t ours, std::uint64_t after) {
  const std::uint64_t start = start_.value_or(0);
  const std::uint64_t low = before >= start ? before - start : 0;
  const std::uint64_t high = after >= start ? after - start : 0;
  if (low > ours + missed_) missed_ = low - ours;
  if (ours + missed_ > high) {
    // We are ahead of the kernel: an earlier bracket was too wide to see that these were only late.
    missed_ = high > ours ? high - ours : 0;
  }
  Verdict verdict;
  verdict.missed = missed_;
  verdict.kernel = std::min(ours + missed_, high);
  verdict.reconciled = missed_ == 0 && ours <= high;
  return verdict;
}

}  // namespace twtrace::model
