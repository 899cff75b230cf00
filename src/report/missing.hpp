// SPDX-License-Identifier: Apache-2.0
// What a capture does not know about its own time. Private to this folder.
#pragma once

#include <string>

#include "report/selected.hpp"

namespace twtrace::report {

/// Why this budget cannot be judged by a part of what happened; empty when the capture has all that the budget asks
/// for. A namespace whose numbers could not be read matters to budgets about the table, a clock that was set to those
/// that compare phases, and the end of the one namespace that a budget is about if another one had its name afterwards.
std::string missing_for(const Asked& asked);

}  // namespace twtrace::report
