// SPDX-License-Identifier: Apache-2.0
// A graph in one line of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tui/frame.hpp"

namespace twtrace::tui {

/// One character per value, the newest on the right. If there are more values than `columns`, each group shows its
/// largest. `top` is the value of a full column; 0: the largest value. A value above 0 is never blank.
std::string sparkline(const std::vector<double>& values, std::size_t columns, double top, Charset charset);

}  // namespace twtrace::tui
