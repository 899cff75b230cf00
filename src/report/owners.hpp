// SPDX-License-Identifier: Apache-2.0
// The owners: the rows of a recording at the end of each phase. Private to this folder.
#pragma once

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "report/report.hpp"
#include "view/view.hpp"

namespace twtrace::report {

/// Takes the rows at the end of each phase, in order, and at the end the peers. finish() adds what no row took.
class OwnerCollector {
 public:
  /// `netns` chooses the namespaces.
  OwnerCollector(std::size_t phases, view::Selector netns, Purpose purpose)
      : phases_(phases), purpose_(purpose), merged_(phases) {
    view_.selector = std::move(netns);
  }

  /// Takes the buckets from before the start, as the first sample has them.
  void begin(const model::Source& source);
  /// Takes the rows as they are `quiet_s` (one of kQuietS) before the end of the capture. The longest comes first.
  void begin_quiet(const model::Source& source, std::int64_t quiet_s);
  /// `last`: this is the end of the capture, so peers are looked at too.
  void add(const model::Source& source, std::size_t phase, bool last);
  /// Fills in the owners and the culprits of ports. Needs a report that already has everything from the samples' heads.
  void finish(Report& report) &&;

 private:
  struct Toward {
    std::uint64_t row_id = 0;
    std::uint64_t created = 0;
  };

  /// Of one row.
  struct Course {
    model::Counters before;  ///< at the end of the phase before
    std::vector<model::Counters> phases;
    std::size_t looks = 0;  ///< number of add() that saw it last
  };

  /// The last seconds of the capture.
  struct Quiet {
    std::int64_t seconds = 0;
    std::unordered_map<std::uint64_t, std::uint64_t> closed_before;  ///< by Row::id
  };

  struct PeerCount {
    std::uint64_t row_id = 0;
    std::uint32_t netns_id = 0;
    model::Role role = model::Role::kServer;
    model::Peer peer;
    model::Counters counts;
  };

  std::int64_t quiet_s(const model::Row& row, double capture_s) const;
  void take_moves(std::size_t phase);
  void add_peers(const model::Source& source);
  std::vector<PeerPart> peer_parts(const std::vector<Owner>& owners,
                                   const std::unordered_map<std::uint64_t, std::size_t>& by_row) const;

  std::size_t phases_;
  Purpose purpose_;
  view::View view_;
  std::unordered_map<std::uint64_t, Course> courses_;  ///< by Row::id
  std::vector<model::Counters> merged_;                ///< Report::merged
  std::size_t looks_ = 0;                              ///< calls of add()
  std::vector<model::Row> rows_;
  std::vector<Quiet> quiets_;
  std::vector<model::Row> before_start_;
  std::map<std::pair<std::uint32_t, model::Peer>, Toward> toward_;
  std::vector<PeerCount> peers_;
};

}  // namespace twtrace::report
