// SPDX-License-Identifier: Apache-2.0
// The user's filters, applied to what a session gives.
#pragma once

#include "app/options.hpp"
#include "app/session.hpp"

namespace twtrace::app {

/// Turns --netns into the filter's inode number. kNotFound or kUsage when it names nothing.
base::Result<Options> resolve_netns_filter(Session& session, Options options);

/// Whether the event passes every filter of the command line. Ports are compared with the event's own.
bool event_matches(const model::Event& event, const Options& options);

}  // namespace twtrace::app
