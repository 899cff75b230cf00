// SPDX-License-Identifier: Apache-2.0
#include "view/rows.hpp"

#include <algorithm>

#include "view/row_id.hpp"
#include "view/row_key.hpp"
#include "view/row_list.hpp"

namespace twtrace::view {

RowSource::RowSource(const model::Source& source, model::Group group, std::uint64_t id)
    : source_(source), group_(group), id_(id), whole_id_(id), namespaces_(source.namespaces()) {
  for (model::NetnsInfo& netns : namespaces_) {
    if (netns_row_id(model::RowKind::kUnattributed, netns.id) != id)
      netns.unattributed = netns.unattributed_previous = model::Counters{};
  }
  if (group != model::Group::kPeer) return;
  // The processes of a peer's row also have a row without the peer.
  source.visit_peers([this](const model::Fact& fact) {
    if (row_id(fact, model::Group::kPeer) != id_) return;
    whole_id_ = without_peer(key_of(fact, model::Group::kPeer)).hash;
  });
}

void RowSource::visit(const model::FactVisitor& visitor) const {
  source_.visit([&](const model::Fact& fact) {
    if (row_id(fact, group_) == whole_id_) visitor(fact);
  });
}

void RowSource::visit_peers(const model::FactVisitor& visitor) const {
  source_.visit_peers([&](const model::Fact& fact) {
    if (row_id(fact, group_) == id_) visitor(fact);
  });
}

namespace {

std::vector<model::Row> cut(const RowList& list, std::size_t max_rows, std::uint64_t& hidden) {
  const std::size_t shown = max_rows == 0 ? list.size() : std::min(max_rows, list.size());
  hidden = list.size() - shown;
  return list.rows(0, shown);
}

}  // namespace

std::vector<model::Row> build_rows(const model::Source& source, const View& view, double interval_s,
                                   std::uint64_t& hidden) {
  return cut(RowList(source, view, interval_s), view.max_rows, hidden);
}

model::Snapshot with_rows(model::Snapshot head, const model::Source& source, const View& view) {
  head.group = view.group;
  head.rows = cut(RowList(source, view, head.interval_s, head.namespaces), view.max_rows, head.rows_hidden);
  return head;
}

}  // namespace twtrace::view
