// SPDX-License-Identifier: Apache-2.0
// Cells of a column that is too narrow for them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace twtrace::base {

/// Cuts the cells that are wider than `columns`, as fit() does. If different cells would become the same text, cuts
/// them in the middle, or else in front, because names of services differ at their end as often as at their beginning.
/// Cells that differ only in the middle, as hosts of one domain do, are cut at both ends.
/// The caller has made the cells safe for a terminal.
void cut_apart(std::vector<std::string>& cells, std::size_t columns);

}  // namespace twtrace::base
