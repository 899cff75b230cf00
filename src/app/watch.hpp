// SPDX-License-Identifier: Apache-2.0
// Starts a command that traces.
#pragma once

#include "app/event_loop.hpp"
#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "trace/session.hpp"
#include "view/selector.hpp"

namespace twtrace::app {

/// The event loop and the session of such a command.
struct Watch {
  EventLoop loop;
  trace::Session session;
};

/// Takes over the signals, attaches, and begins to count.
base::Result<Watch> begin_watch(const trace::SessionOptions& options);

/// Resolves the filters. kNotFound or kUsage if --netns names nothing.
base::Result<view::Selector> resolve_filter(const trace::Session& session, const FilterOptions& options,
                                            const TracingOptions& ports);

}  // namespace twtrace::app
