// SPDX-License-Identifier: Apache-2.0
#include "trace/slot_returns.hpp"

#include <utility>

namespace twtrace::trace {

std::vector<std::uint32_t> SlotReturns::look(const std::set<std::uint32_t>& gone) {
  const std::set<std::uint32_t> before = std::exchange(gone_, {});
  std::vector<std::uint32_t> due;
  for (const std::uint32_t slot : gone) {
    if (is_unlinked(slot)) continue;
    gone_.insert(slot);
    if (before.contains(slot)) due.push_back(slot);
  }
  return due;
}

void SlotReturns::unlinked(std::uint32_t slot, std::uint64_t now_ns, std::uint64_t scans_begun) {
  gone_.erase(slot);
  unlinked_.emplace(slot, Unlinked{now_ns, scans_begun});
}

bool SlotReturns::is_unlinked(std::uint32_t slot) const { return unlinked_.contains(slot); }

std::vector<std::uint32_t> SlotReturns::take_free(const std::set<std::uint32_t>& in_rows, std::uint64_t now_ns,
                                                  const PassedSince& passed_since) {
  std::vector<std::uint32_t> free;
  for (auto slot = unlinked_.begin(); slot != unlinked_.end();) {
    const auto& [number, since] = *slot;
    const bool swept = !passed_since || passed_since(since.scans_begun) >= kScans;
    if (in_rows.contains(number) || now_ns - since.since_ns < kGraceNs || !swept) {
      ++slot;
      continue;
    }
    free.push_back(number);
    slot = unlinked_.erase(slot);
  }
  return free;
}

}  // namespace twtrace::trace
