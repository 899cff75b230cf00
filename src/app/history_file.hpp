// SPDX-License-Identifier: Apache-2.0
// The live view's `w`: the last minutes as a capture file.
#pragma once

#include <string>

#include "model/history.hpp"
#include "trace/session.hpp"

namespace twtrace::app {

/// Writes every sample that the history keeps to a new twtrace.db in the working directory; an earlier one becomes
/// twtrace.db.old. Counts begin with the oldest sample, whatever the user has set to zero. Returns one line for the
/// user: where it is, or why not.
std::string write_history(const model::History& history, trace::Session& session);

}  // namespace twtrace::app
