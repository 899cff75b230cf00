// SPDX-License-Identifier: Apache-2.0
// One namespace through the samples of a history.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/forecast.hpp"
#include "model/history.hpp"

namespace twtrace::model {

/// The kept samples of this row's namespace up to `sample`, oldest first. Leaves out samples without the namespace or
/// without its gauge. Ages count from `sample`. `created` includes what the kernel counted and no program saw.
std::vector<TablePoint> trend(const History& history, std::uint64_t sample, const NetnsRow& netns);

/// What a namespace's table had at one moment. The counts are totals that include what no program saw.
struct TableReading {
  std::uint64_t created = 0;
  std::uint64_t refused = 0;
  std::optional<std::uint64_t> in_use;
};

/// The last minute of every namespace, for sinks that keep no history. Not thread-safe.
class Trends {
 public:
  /// Gives the namespaces of the next snapshot their forecasts. Snapshots come in the order of their time.
  void observe(Snapshot& head);

 private:
  struct Recent {
    std::vector<TablePoint> points;
    std::optional<TableReading> last;
  };
  std::map<std::uint32_t, Recent> by_id_;
  bool first_ = true;  ///< counts of the first snapshot are those of its interval
};

}  // namespace twtrace::model
