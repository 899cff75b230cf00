// SPDX-License-Identifier: Apache-2.0
#include "loader/table_reader.hpp"

#include <set>
#include <utility>

#include "base/clock.hpp"
#include "loader/table_object.hpp"

namespace twtrace::loader {
namespace {

tw_walk walk_of(const tw_namespace_reading& reading, std::uint32_t what) {
  tw_walk walk{};
  walk.heads = reading.table;
  walk.chains = reading.table_mask + 1;
  walk.what = what;
  if (reading.own_table == 0) return walk;
  walk.netns_node = reading.node;
  walk.netns_id = reading.id;
  return walk;
}

}  // namespace

base::Result<TableReader> TableReader::make(TableObject& object) {
  auto filled = MappedArray<tw_socket_reading>::map(bpf_map__fd(object.skeleton().maps.socket_readings),
                                                    TW_READ_SOCKETS, "socket_readings");
  if (!filled) return tl::unexpected(filled.error());
  return TableReader({object, std::move(*filled)});
}

void TableReader::begin(std::span<const tw_namespace_reading> namespaces, std::uint32_t what) {
  std::set<std::uint64_t> known;
  tables_.clear();
  finished_ = {};
  for (const tw_namespace_reading& reading : namespaces) {
    if (reading.table != 0 && known.insert(reading.table).second) tables_.push_back(walk_of(reading, what));
  }
  if (!tables_.empty()) walk_.begin(tables_.back());
}

WalkSummary TableReader::summary() const {
  WalkSummary sum = finished_;
  if (tables_.empty()) return sum;
  const WalkSummary current = walk_.summary();
  sum.entries += current.entries;
  sum.restarts += current.restarts;
  sum.given_up += current.given_up;
  return sum;
}

void TableReader::next_table() {
  finished_ = summary();
  tables_.pop_back();
  if (!tables_.empty()) walk_.begin(tables_.back());
}

base::Result<bool> TableReader::advance(std::uint64_t budget_ns, const Handler& handler) {
  const std::uint64_t begun_ns = base::process_cpu_ns();
  while (!tables_.empty()) {
    auto done = walk_.run(handler);
    if (!done) return done;
    if (*done) next_table();
    if (base::process_cpu_ns() - begun_ns >= budget_ns) break;
  }
  return tables_.empty();
}

base::Result<WalkSummary> TableReader::read(std::span<const tw_namespace_reading> namespaces, std::uint32_t what,
                                            const Handler& handler) {
  begin(namespaces, what);
  const auto done = advance(UINT64_MAX, handler);
  if (!done) return tl::unexpected(done.error());
  return summary();
}

}  // namespace twtrace::loader
