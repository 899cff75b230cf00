// SPDX-License-Identifier: Apache-2.0
#include "trace/reading_plan.hpp"

#include <algorithm>
#include <tuple>

namespace twtrace::trace {

ReadingPlan::Ids ReadingPlan::due_before(const std::vector<Candidate>& candidates, bool fresh) {
  ++sample_;
  const bool all = reads_all(candidates.size(), fresh);
  const std::size_t most = all ? candidates.size() : readings_;
  Ids due;
  for (const Candidate& candidate : candidates) {
    if (due.size() == most) break;
    if (!candidate.was_read || (all && (fresh || candidate.moved))) due.push_back(candidate.id);
  }
  return due;
}

ReadingPlan::Ids ReadingPlan::due_after(const std::vector<Candidate>& candidates, bool fresh) {
  std::vector<std::tuple<bool, std::uint64_t, std::uint32_t>> order;  // whether it can wait, last reading, id
  for (const Candidate& candidate : candidates) {
    const bool can_wait = candidate.was_read && !candidate.moved;
    order.emplace_back(can_wait, read_in_[candidate.id], candidate.id);
  }
  if (!reads_all(candidates.size(), fresh)) {
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), readings_));
  }
  Ids due;
  for (const auto& [can_wait, read_in, id] : order) {
    read_in_[id] = sample_;
    due.push_back(id);
  }
  return due;
}

}  // namespace twtrace::trace
