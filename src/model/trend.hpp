// SPDX-License-Identifier: Apache-2.0
// One namespace through the samples of a history.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "model/forecast.hpp"
#include "model/history.hpp"

namespace twtrace::model {

/// The kept samples up to `sample`, oldest first, of the namespace of this row; those that it was not in, or in which
/// its gauge was not known, are left out. Ages are counted from `sample`. What the kernel counted and no program saw is
/// part of `created`.
std::vector<TablePoint> trend(const History& history, std::uint64_t sample, const NetnsRow& netns);

/// The last minute of every namespace, for sinks that keep no history. Not thread-safe.
class Trends {
 public:
  /// Gives the namespaces of the next snapshot their forecasts. Snapshots come in the order of their time.
  void observe(Snapshot& head);

 private:
  struct Recent {
    std::vector<TablePoint> points;
    NetnsRow last;
  };
  std::map<std::uint32_t, Recent> by_id_;
  bool first_ = true;  ///< counts of the first snapshot are those of its interval
};

}  // namespace twtrace::model
