// SPDX-License-Identifier: Apache-2.0
// What went wrong during a capture, as the first lines say it. Private to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// Finds the troubles of a report from the rows at two moments: who held a table when it was fullest, and at the end
/// who was refused and who took the ports. Not thread-safe.
class TroubleCollector {
 public:
  /// `report` has everything from the samples' heads. Looks at its worst namespaces.
  explicit TroubleCollector(const Report& report);

  /// Takes the rows at the end of a sample (from 0 on). `last`: no more will come.
  void add(const model::Source& source, std::uint64_t sample, bool last);
  /// The worst first.
  std::vector<model::Trouble> finish() && { return std::move(troubles_); }

 private:
  /// Whose holder is looked for at a sample.
  struct Look {
    std::size_t netns = 0;  ///< of fullest_.namespaces
    int later = 0;          ///< so many samples after its table was fullest
  };
  void look(const model::Source& source, std::uint64_t sample, const std::vector<Look>& looks);

  model::Snapshot fullest_;  ///< every namespace as it was when its table was fullest; the ports likewise
  std::map<std::uint64_t, std::vector<Look>> by_sample_;
  std::map<std::uint32_t, model::Trouble> at_peak_;  ///< full tables, by NetnsRow::id
  std::vector<model::Trouble> troubles_;
};

}  // namespace twtrace::report
