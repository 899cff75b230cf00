// SPDX-License-Identifier: Apache-2.0
// The columns that rows can be sorted by.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::view {

/// What rows can be sorted by.
enum class SortColumn {
  kCreatedRate,
  kOverflowRate,
  kCreated,
  kOverflow,
  kLive,
  kFinWait2,
  kPid,
  kComm,
  kService,
  kPort,
  kFelt,
  kNoPort,
  kQueueDrops,
  kUse  ///< of the live view
};

/// Name and explanation, in the order of `-s help`; kUse has none.
struct SortName {
  SortColumn column;
  std::string_view name;
  std::string_view help;
};
const std::vector<SortName>& sort_names();
/// SortName::name; empty for kUse.
std::string_view sort_name_of(SortColumn column);

/// The sort keys of a row. Holds references to the parts of the row.
struct SortItem {
  model::RowKind kind = model::RowKind::kNormal;
  double rank = 0;  ///< RowOrder::set_rank()
  double created_per_s = 0;
  double overflow_per_s = 0;
  double no_port_per_s = 0;       ///< connects
  double no_port_bind_per_s = 0;  ///< binds
  std::uint64_t no_port = 0;      ///< connects
  std::uint64_t no_port_bind = 0;
  std::uint64_t queue_drops = 0;
  std::uint64_t felt = 0;  ///< resets of sockets that a process still had
  std::uint64_t created = 0;
  std::uint64_t overflow = 0;
  std::uint64_t fin_wait2 = 0;
  std::optional<std::uint64_t> live;
  std::optional<model::Use> use;
  const std::string* comm = nullptr;       ///< never null; empty without a process
  const base::Service* service = nullptr;  ///< never null; a default one without a service
  std::optional<std::uint32_t> pid;
  std::optional<std::uint32_t> uid;
  std::optional<model::Role> role;
  std::optional<std::uint16_t> port;
  std::optional<std::uint32_t> netns;  ///< inode number
  std::uint32_t netns_id = 0;          ///< NetnsRow::id
  const model::Peer* peer = nullptr;
  std::optional<model::Attribution> attribution;
  std::size_t index = 0;  ///< set by the caller; items that are equal in everything else are sorted by it
};

/// Sorts numbers in descending order, names and pid in ascending order. Every other column breaks ties, so the order is
/// total and does not flicker. `reverse` reverses the order of the column, not that of ties. "(other)" and
/// "(unattributed)" always come last.
struct RowOrder {
  SortColumn column = SortColumn::kCreatedRate;
  bool reverse = false;

  /// Call this before comparing an item, and again when its rank has changed.
  void set_rank(SortItem& item) const;
  bool operator()(const SortItem& left, const SortItem& right) const;
};

}  // namespace twtrace::view
