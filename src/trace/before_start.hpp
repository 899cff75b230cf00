// SPDX-License-Identifier: Apache-2.0
// The buckets that were there when twtrace started, as rows. Pure.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/service.hpp"
#include "loader/table_sums.hpp"
#include "model/peers.hpp"
#include "model/row_table.hpp"

namespace twtrace::trace {

/// Who listens where, at one moment.
class Listeners {
 public:
  Listeners() = default;
  explicit Listeners(std::span<const tw_listener_reading> readings);

  /// Whether somebody listens on that port of that namespace (tw_namespace_reading.id).
  bool has(std::uint64_t netns_id, std::uint16_t port) const { return cgroups_.contains({netns_id, port}); }
  /// The cgroup in which the listeners of that port were created; empty if there is none, or if they differ.
  std::optional<std::uint64_t> cgroup(std::uint64_t netns_id, std::uint16_t port) const;

 private:
  std::map<std::pair<std::uint64_t, std::uint16_t>, std::set<std::uint64_t>> cgroups_;
};

/// What the rows take from the rest of a trace. Every function may answer nothing.
struct BeforeStartNames {
  std::function<std::optional<std::uint32_t>(std::uint64_t netns_id)> netns;  ///< Identity::netns
  std::function<base::Service(std::uint64_t cgroup_id)> service;
};

/// The buckets that were there when the trace began.
struct BeforeStart {
  std::vector<model::Entry> rows;
  model::PeerTable::Live peers;  ///< remote ends of the rows; together no more than the row has
};

/// One row per namespace, role, port and family, without counts. Its service is that of who listens on the port now
/// (server), or of who connects to it now by `rows` (client), if that is one service; else it is unknown. If a
/// namespace and role has more than TW_MAX_PORTS ports, those with at most 1/TW_MAX_PORTS of the buckets share port 0,
/// and their remote ends are left out. Those of another port are left out by the same rule. Leaves out namespaces that
/// nobody knows.
BeforeStart before_start(const std::vector<loader::OlderBuckets>& older, const Listeners& listeners,
                         const model::RowTable& rows, const BeforeStartNames& names);

}  // namespace twtrace::trace
