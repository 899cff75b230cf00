// SPDX-License-Identifier: Apache-2.0
// Private to capture: the events of a file.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "capture/sqlite.hpp"
#include "capture/stored_netns.hpp"
#include "model/snapshot.hpp"

namespace twtrace::capture {

/// See Reader::events_until().
base::Result<std::vector<model::Event>> events_until(const Database& database, const StoredNetns& namespaces,
                                                     std::int64_t unix_ms, std::size_t most);

}  // namespace twtrace::capture
