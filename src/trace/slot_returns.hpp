// SPDX-License-Identifier: Apache-2.0
// When the slot of a namespace that is gone may be given to the next one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace twtrace::trace {

/// A slot is given back in two steps, so that no count can stand under a successor's name. When its namespace has been
/// gone in two looks in a row, the kernel side forgets the number (unlinked). It is given back later, when no program
/// that knew the number can be running, and when no row refers to it: a row keeps its namespace's slot. Pure. Not
/// thread-safe.
class SlotReturns {
 public:
  /// How many scans have begun and ended since TableScan::begun() said this.
  using PassedSince = std::function<std::uint64_t(std::uint64_t begun)>;

  /// Much longer than a program runs.
  static constexpr std::uint64_t kGraceNs = 100'000'000;
  /// The sweep of the second scan forgets every connection that ended before it.
  static constexpr std::uint64_t kScans = 2;

  /// Takes the slots of namespaces that are gone now. Returns those that are to be unlinked.
  std::vector<std::uint32_t> look(const std::set<std::uint32_t>& gone);
  /// The kernel side has forgotten the number. `scans_begun`: TableScan::begun().
  void unlinked(std::uint32_t slot, std::uint64_t now_ns, std::uint64_t scans_begun);

  bool is_unlinked(std::uint32_t slot) const;
  bool any_unlinked() const { return !unlinked_.empty(); }
  /// Takes the slots that published rows refer to. Returns those that can be given back, and drops them. `passed_since`
  /// is empty where no scan is needed, because the programs see how connections end.
  std::vector<std::uint32_t> take_free(const std::set<std::uint32_t>& in_rows, std::uint64_t now_ns,
                                       const PassedSince& passed_since);

 private:
  struct Unlinked {
    std::uint64_t since_ns = 0;
    std::uint64_t scans_begun = 0;
  };

  std::set<std::uint32_t> gone_;  ///< at the last look, and not unlinked
  std::map<std::uint32_t, Unlinked> unlinked_;
};

}  // namespace twtrace::trace
