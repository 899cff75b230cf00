// SPDX-License-Identifier: Apache-2.0
// Ephemeral ports in use, towards each destination.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.hpp"
#include "loader/readers.hpp"
#include "loader/table_sums.hpp"
#include "model/snapshot.hpp"
#include "trace/namespace_directory.hpp"

namespace twtrace::trace {

/// Reads every table: some 20 ms of CPU time for 60,000 sockets. The `most` destinations with the most ports taken, of
/// all namespaces together, the fullest first. Those whose clients have used up more of a range of their own than is
/// used up of the namespace's come before: `own` is what earlier calls learned of these, and has begun this pass.
/// Before all of these, the pools that are nearly full (PortUse::is_pool()). PortUse::netns_id is that of `directory`,
/// empty while that does not know the namespace. Errors as NamespaceReader::read().
base::Result<std::vector<model::PortUse>> read_port_use(loader::Readers& readers, const NamespaceDirectory& directory,
                                                        loader::OwnRanges& own, std::size_t most);

}  // namespace twtrace::trace
