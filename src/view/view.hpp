// SPDX-License-Identifier: Apache-2.0
// How the user wants to see the table.
#pragma once

#include <cstddef>

#include "model/snapshot.hpp"
#include "view/selector.hpp"
#include "view/sort.hpp"

namespace twtrace::view {

/// Which rows, and in which order.
struct View {
  model::Group group = model::Group::kProcess;
  SortColumn sort = SortColumn::kCreatedRate;
  Selector selector;
  std::size_t max_rows = 0;  ///< 0: all
  bool reverse = false;      ///< reverses the order
  /// Leaves out rows that have nothing to say: no bucket, no refusal, no harm that anybody felt. A socket that was
  /// reset after its process had closed it makes such a row, and so do buckets from before the start that are gone. For
  /// people; a program needs every row to get its sums. It leaves out no namespace.
  bool leave_out_silent = false;
};

}  // namespace twtrace::view
