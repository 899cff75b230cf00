// SPDX-License-Identifier: Apache-2.0
// Finds rows by what they have in common. Private to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "view/row_list.hpp"

namespace twtrace::view {

using Items = std::vector<const SortItem*>;

/// The rows of one group, and ways to find them, each made when it is first needed. A file may have a hundred thousand
/// namespaces, destinations or queues, and none of them may cost a look at all rows. Different keys may share a place,
/// so whoever looks checks the rows. Valid as long as the source does not change. Not thread-safe.
class RowFinder {
 public:
  RowFinder(const model::Source& source, model::Group group, double interval_s);

  const Items& of(std::uint32_t netns_id);
  /// Those that stand for many ports have none.
  const Items& of(std::uint32_t netns_id, std::optional<std::uint16_t> port);
  const Items& with(std::uint32_t netns_id, const model::Peer& peer);
  const Items& serving(const model::ListenQueue& queue);

 private:
  using Index = std::unordered_map<std::uint64_t, Items>;

  template <class KeyOf>
  const Items& find(std::optional<Index>& index, std::uint64_t key, const KeyOf& key_of);

  RowList list_;
  std::optional<Index> by_netns_, by_port_, by_peer_, by_server_;
};

}  // namespace twtrace::view
