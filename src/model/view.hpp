// SPDX-License-Identifier: Apache-2.0
// From the table to the rows of one group. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/filter.hpp"
#include "model/peers.hpp"
#include "model/snapshot.hpp"
#include "model/sort.hpp"
#include "model/table.hpp"

namespace twtrace::model {

/// How the user wants to look at the table.
struct View {
  Group group = Group::kProcess;
  SortColumn sort = SortColumn::kCreatedRate;
  Filter filter;
  std::size_t max_rows = 0;  ///< 0: all
};

/// One namespace of the table, by Identity::netns.
struct NetnsInfo {
  std::uint32_t id = 0;
  std::uint32_t inum = 0;
  std::string name;
  Counters unattributed;
  Counters unattributed_previous;
};

/// The rows of the group, filtered, sorted and cut; `hidden` receives how many were cut. Without a filter the rows sum
/// to the namespaces' counts.
std::vector<Row> build_rows(const Table& table, const PeerTable& peers, const std::vector<NetnsInfo>& namespaces,
                            const View& view, double interval_s, std::uint64_t& hidden);

}  // namespace twtrace::model
