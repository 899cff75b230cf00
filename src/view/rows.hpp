// SPDX-License-Identifier: Apache-2.0
// Builds the rows of one group from the table. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "view/view.hpp"

namespace twtrace::view {

/// The part of a source that went into one row. Keeps a reference.
class RowSource final : public model::Source {
 public:
  /// `id` is Row::id of a row of `group` that was built from `source`, or from another moment of the same run.
  RowSource(const model::Source& source, model::Group group, std::uint64_t id);

  void visit(const model::FactVisitor& visitor) const override;
  void visit_peers(const model::FactVisitor& visitor) const override;
  const std::vector<model::NetnsInfo>& namespaces() const override { return namespaces_; }

 private:
  const model::Source& source_;
  model::Group group_;
  std::uint64_t id_;
  std::uint64_t whole_id_;                    ///< of the row of the same processes without a peer
  std::vector<model::NetnsInfo> namespaces_;  ///< set only if the row is the unattributed one
};

/// Returns the rows of the group that something was counted in, filtered, sorted and cut. `hidden` receives how many
/// were cut. Without a filter the rows sum to the namespaces' counts.
std::vector<model::Row> build_rows(const model::Source& source, const View& view, double interval_s,
                                   std::uint64_t& hidden);

/// `head` with the rows that `view` asks for. By namespace these are all namespaces of `head`, also those in which
/// nothing was counted; one row stands for those that model::folded() leaves out.
model::Snapshot with_rows(model::Snapshot head, const model::Source& source, const View& view);

}  // namespace twtrace::view
