// SPDX-License-Identifier: Apache-2.0
// The columns that rows can be sorted by.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::model {

enum class SortColumn {
  kCreatedRate,
  kOverflowRate,
  kCreated,
  kOverflow,
  kLive,
  kFinWait2,
  kPid,
  kComm,
  kService,
  kPort,
  kUse  ///< of the live view
};

/// Name and what it sorts by, in the order of `-s help`; kUse has none.
struct SortName {
  SortColumn column;
  std::string_view name;
  std::string_view help;
};
const std::vector<SortName>& sort_names();
std::optional<SortColumn> sort_column_named(std::string_view name);

/// Numbers descending, names and pid ascending; ties are broken by every other column, so the order is total and does
/// not flicker. `reverse` turns the order of the column around, not that of ties. "(other)" and "(unattributed)" come
/// last either way.
void sort_rows(std::vector<Row>& rows, SortColumn column, bool reverse = false);

/// The share of its table that is in use, highest first, then the most created; equal ones keep their order.
void sort_fullest_first(std::vector<NetnsRow>& namespaces);

}  // namespace twtrace::model
