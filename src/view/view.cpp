// SPDX-License-Identifier: Apache-2.0
#include "view/view.hpp"

#include <algorithm>

#include "view/row_key.hpp"
#include "view/row_list.hpp"

namespace twtrace::view {

RowSource::RowSource(const model::Source& source, model::Group group, std::uint64_t id)
    : source_(source), group_(group), id_(id), whole_id_(id), namespaces_(source.namespaces()) {
  for (model::NetnsInfo& netns : namespaces_) {
    if (unattributed_id(netns) != id) netns.unattributed = netns.unattributed_previous = model::Counters{};
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

std::vector<model::Row> build_rows(const model::Source& source, const View& view, double interval_s,
                                   std::uint64_t& hidden) {
  RowList list(source, view, interval_s);
  const std::size_t shown = view.max_rows == 0 ? list.size() : std::min(view.max_rows, list.size());
  hidden = list.size() - shown;
  return list.rows(0, shown);
}

model::Snapshot with_rows(model::Snapshot head, const model::Source& source, const View& view) {
  head.group = view.group;
  head.rows = build_rows(source, view, head.interval_s, head.rows_hidden);
  return head;
}

}  // namespace twtrace::view
