// SPDX-License-Identifier: Apache-2.0
// Who: the rows of a recording at the end of each phase. Private to this folder.
#pragma once

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// Takes the rows at the end of each phase, in their order. What no row took is left to finish().
class OwnerCollector {
 public:
  explicit OwnerCollector(std::size_t phases) : phases_(phases) {}

  /// `last`: this is the end of the capture, so peers are looked at too.
  void add(const model::Source& source, std::size_t phase, bool last);
  /// Fills owners and the culprits of ports. Expects everything that the samples' heads say.
  void finish(Report& report) &&;

 private:
  struct Toward {
    std::uint64_t row_id = 0;
    std::uint64_t created = 0;
  };

  void add_peers(const model::Source& source);

  std::size_t phases_;
  std::unordered_map<std::uint64_t, model::Counters> before_;  ///< by Row::id, at the end of the phase before
  std::unordered_map<std::uint64_t, std::vector<model::Counters>> by_phase_;
  std::vector<model::Row> rows_;
  std::map<std::pair<std::uint32_t, model::Peer>, Toward> toward_;  ///< who created most, by namespace and destination
};

}  // namespace twtrace::report
