// SPDX-License-Identifier: Apache-2.0
// Cells of a column that is too narrow for them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace twtrace::base {

/// Cuts the cells that are wider than `columns`, as fit() does. Where different cells would become the same text, these
/// are cut in the middle, or else in front: names of services differ at their end as often as at their beginning. Cells
/// are safe for a terminal already.
void cut_apart(std::vector<std::string>& cells, std::size_t columns);

}  // namespace twtrace::base
