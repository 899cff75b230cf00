// SPDX-License-Identifier: Apache-2.0
// What several schemas have in common as JSON. Private to this folder.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "model/gone.hpp"
#include "model/snapshot.hpp"
#include "output/json_writer.hpp"

namespace twtrace::output {

/// A queue of listening sockets.
void put_queue(JsonWriter& json, const model::ListenQueue& queue);
/// The counts in the contract's words, but for some; a count is null where the backend does not see it.
void put_counts(JsonWriter& json, const model::Counters& counts, const model::Sight& sees,
                std::initializer_list<std::string_view> but = {});
/// The same for all counts, and for the part that no owner took.
void put_totals(JsonWriter& json, const model::Counters& totals, const model::Counters& unattributed,
                const model::Sight& sees);
void put_host(JsonWriter& json, const model::HostInfo& host);
void put_probe(JsonWriter& json, const model::ProbeInfo& probe);
void put_pod(JsonWriter& json, const base::Pod& pod);
void put_peer(JsonWriter& json, std::string_view key, const std::optional<model::Peer>& peer);
/// The range that a client has set for its sockets; null if it has none.
void put_own_range(JsonWriter& json, const std::optional<model::PortRange>& range);
/// The kernel's counters, what it counted and no program saw, and whether everything else agrees.
void put_cross_check(JsonWriter& json, const model::NetnsRow& row);
void put_troubles(JsonWriter& json, const std::vector<model::Trouble>& troubles);
/// The losses, in the contract's order.
void put_lost(JsonWriter& json, const model::Losses& lost);
void put_cost(JsonWriter& json, const model::Cost& cost);

/// `namespaces` and `namespaces_folded`: the objects of those that model::folded() does not leave out, and how many it
/// does. `row(element)` is the NetnsRow of an element, `put(element)` writes its fields.
template <class Namespaces, class Row, class Put>
void put_namespaces(JsonWriter& json, const Namespaces& namespaces, const Row& row, const Put& put) {
  std::vector<const model::NetnsRow*> rows;
  rows.reserve(namespaces.size());
  for (const auto& netns : namespaces) rows.push_back(&row(netns));
  const std::vector<bool> left_out = model::folded(rows);
  json.objects_if(
      "namespaces", namespaces, [&, index = std::size_t{0}](const auto&) mutable { return !left_out[index++]; }, put);
  json.field("namespaces_folded", std::count(left_out.begin(), left_out.end(), true));
}

/// The word of an enumerator that may be unknown.
template <class Enum>
std::optional<std::string_view> word(const std::optional<Enum>& value) {
  return value ? std::optional<std::string_view>(model::to_string(*value)) : std::nullopt;
}

}  // namespace twtrace::output
