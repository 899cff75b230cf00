// SPDX-License-Identifier: Apache-2.0
// The live view's `w`: the last minutes as a capture file.
#pragma once

#include <string>

#include "model/history.hpp"
#include "trace/session.hpp"

namespace twtrace::app {

/// In the working directory.
inline constexpr const char* kHistoryFile = "twtrace.db";

/// Writes every kept sample to a new kHistoryFile. An earlier one becomes twtrace.db.old. Counts
/// begin with the oldest sample, even if the user has zeroed them. Returns one line for the user: where the file is, or
/// why there is none.
std::string write_history(const model::History& history, trace::Session& session);

}  // namespace twtrace::app
