// SPDX-License-Identifier: Apache-2.0
// How a command that watches begins.
#pragma once

#include "app/event_loop.hpp"
#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "trace/session.hpp"
#include "view/selector.hpp"

namespace twtrace::app {

/// What such a command works with.
struct Watch {
  EventLoop loop;
  trace::Session session;
};

/// Takes the signals over, attaches and begins to count.
base::Result<Watch> begin_watch(const trace::SessionOptions& options);

/// Everything the filters ask for. kNotFound or kUsage when --netns names nothing.
base::Result<view::Selector> resolve_filter(trace::Session& session, const FilterOptions& options,
                                            const TracingOptions& ports);

}  // namespace twtrace::app
