// SPDX-License-Identifier: Apache-2.0
// What a budget asks for. Private to this folder.
#pragma once

#include "report/report.hpp"

namespace twtrace::report {

/// True if the budget asks for the owner.
bool selected(const Budget& budget, const Owner& owner);
/// True if the budget asks for the namespace. Ignores everything else that it asks for.
bool selected(const Budget& budget, const NetnsReport& netns);
/// True if the budget asks for something other than the namespace.
bool by_owner(const Budget& budget);

}  // namespace twtrace::report
