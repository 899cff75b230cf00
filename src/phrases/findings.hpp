// SPDX-License-Identifier: Apache-2.0
// What a row's numbers mean, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::phrases {

/// From these shares on, a finding appears.
inline constexpr double kLargeShareOfTable = 0.1;
inline constexpr std::uint64_t kManyPortsPercent = 50;

/// What a program of that role can change to create fewer buckets.
std::string role_remedy(model::Role role);

struct RowFinding {
  bool alarming = false;  ///< somebody has been hurt, or soon will be
  std::string text;       ///< one line of ASCII
  std::string remedy;     ///< what to change; may be empty
};

/// Returns the findings, worst first. `netns` is the namespace of the row, or null if not known. `peers` are the row's
/// peers. Pure.
std::vector<RowFinding> row_findings(const model::Row& row, const model::NetnsRow* netns,
                                     const std::vector<model::Row>& peers);

}  // namespace twtrace::phrases
