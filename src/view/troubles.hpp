// SPDX-License-Identifier: Apache-2.0
// What goes wrong, in which namespace, and who has a part in it.
#pragma once

#include <vector>

#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "view/selector.hpp"

namespace twtrace::view {

/// Which connects without a free local port, and which drops of queues count: those of the last interval, or all since
/// the start. With kEver nothing has a rate, and Party::buckets is how many of the party's connects failed.
enum class Connects { kNow, kEver };

/// The troubles of the moment of `head` and `source`, the worst first: tables that refuse now, the most refusals first;
/// full ones; queues that drop; ports that run out; tables that refused before. `namespaces` chooses namespaces, its
/// other terms are left out: a filter hides no trouble. Costs nothing while there is none. Pure.
std::vector<model::Trouble> find_troubles(const model::Source& source, const model::Snapshot& head,
                                          const Selector& namespaces, Connects connects = Connects::kNow);

}  // namespace twtrace::view
