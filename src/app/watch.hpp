// SPDX-License-Identifier: Apache-2.0
// How a command that watches begins.
#pragma once

#include "app/event_loop.hpp"
#include "app/options.hpp"
#include "base/result.hpp"
#include "trace/session.hpp"

namespace twtrace::app {

/// What such a command works with.
struct Watch {
  EventLoop loop;
  trace::Session session;
  Options options;  ///< as asked for, with --netns turned into the filter's inode number
};

/// Takes the signals over, attaches and begins to count. kNotFound or kUsage when --netns names nothing.
base::Result<Watch> begin_watch(const Options& asked);

}  // namespace twtrace::app
