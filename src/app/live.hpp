// SPDX-License-Identifier: Apache-2.0
// The live view of a running session.
#pragma once

#include "app/event_loop.hpp"
#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "trace/session.hpp"

namespace twtrace::app {

/// True if standard output and input are a terminal that can be painted over. If not, and the user would expect the
/// live view, logs the reason. The table then comes in batches.
bool can_show_live(const TableOptions& options);

/// Shows the session until the user quits, a signal ends it, or the requested number of samples is done. Returns the
/// exit code. Always restores the terminal.
base::Result<int> run_live(EventLoop& loop, trace::Session& session, const TableOptions& options,
                           const view::View& shown);

}  // namespace twtrace::app
