// SPDX-License-Identifier: Apache-2.0
#include "view/row_id.hpp"

#include "view/row_key.hpp"

namespace twtrace::view {

std::uint64_t gone_row_id() { return netns_row_id(model::RowKind::kGone, 0); }

std::uint64_t row_id(const model::Fact& fact, model::Group group) { return key_of(fact, group).hash; }

/// A row of a group without peers uses only rows, because their counts include those of the peers.
model::FactPredicate goes_into(model::Group group, std::uint64_t id) {
  return [group, id](const model::Fact& fact) {
    return (fact.peer == nullptr || group == model::Group::kPeer) && row_id(fact, group) == id;
  };
}

}  // namespace twtrace::view
