// SPDX-License-Identifier: Apache-2.0
// A grid in columns. Private to this folder.
#pragma once

#include <string>

#include "output/report_parts.hpp"

namespace twtrace::output {

/// Titles and rows, at most kTextColumns wide. Columns that can be spared go first, then text columns shrink, then
/// large counts are shortened (46.5M), because a number that is cut is a wrong one. Names are safe for a terminal.
std::string text_grid(Grid grid);

}  // namespace twtrace::output
