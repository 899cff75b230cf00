// SPDX-License-Identifier: Apache-2.0
// What goes wrong, in which namespace, and who has a part in it.
#pragma once

#include <vector>

#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "view/selector.hpp"

namespace twtrace::view {

/// Which connects that found no local port count: those of the last interval, or all since the start. Of all, a party
/// has how many it made (Party::buckets), and nothing has a rate.
enum class Connects { kNow, kEver };

/// The troubles of the moment of `head` and `source`, the worst first: tables that refuse now, the most refusals first;
/// full ones; ports that run out; tables that refused before. `namespaces` chooses namespaces, its other terms are left
/// out: a filter hides no trouble. Costs nothing while there is none. Pure.
std::vector<model::Trouble> find_troubles(const model::Source& source, const model::Snapshot& head,
                                          const Selector& namespaces, Connects connects = Connects::kNow);

}  // namespace twtrace::view
