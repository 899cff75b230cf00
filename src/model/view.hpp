// SPDX-License-Identifier: Apache-2.0
// From the table to the rows of one group. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/filter.hpp"
#include "model/snapshot.hpp"
#include "model/sort.hpp"
#include "model/source.hpp"

namespace twtrace::model {

/// How the user wants to look at the table.
struct View {
  Group group = Group::kProcess;
  SortColumn sort = SortColumn::kCreatedRate;
  Filter filter;
  std::size_t max_rows = 0;  ///< 0: all
  bool reverse = false;      ///< the other way round
};

/// The part of a source that went into one row. Keeps a reference.
class RowSource final : public Source {
 public:
  /// `id` is Row::id of a row of `group` that was built from `source`, or from another moment of the same run.
  RowSource(const Source& source, Group group, std::uint64_t id);

  void visit(const FactVisitor& visitor) const override;
  void visit_peers(const FactVisitor& visitor) const override;
  const std::vector<NetnsInfo>& namespaces() const override { return namespaces_; }

 private:
  const Source& source_;
  Group group_;
  std::uint64_t id_;
  std::uint64_t whole_id_;             ///< of the row of the same processes without a peer
  std::vector<NetnsInfo> namespaces_;  ///< what no row took only when that is the row
};

/// Row::id of the row of `group` that a fact goes into.
std::uint64_t row_id(const Fact& fact, Group group);
/// Whether a fact goes into the row of `group` with this Row::id.
FactPredicate goes_into(Group group, std::uint64_t id);

/// The rows of the group, filtered, sorted and cut; `hidden` receives how many were cut. Without a filter the rows sum
/// to the namespaces' counts.
std::vector<Row> build_rows(const Source& source, const View& view, double interval_s, std::uint64_t& hidden);

/// `head` with the rows that `view` asks for.
Snapshot with_rows(Snapshot head, const Source& source, const View& view);

}  // namespace twtrace::model
