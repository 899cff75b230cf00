// SPDX-License-Identifier: Apache-2.0
// What a capture and its LogReader's process say to each other.
#pragma once

#include <optional>
#include <vector>

#include "base/fields.hpp"
#include "model/logs.hpp"

namespace twtrace::logs {

/// What was found in all logs since it was asked for last.
struct Found {
  std::vector<model::LogLine> lines;
  std::vector<model::LogGaps> gaps;  ///< one per log, since the beginning

  bool operator==(const Found&) const = default;
};

base::Fields fields_of(const Found& found);
/// The inverse. Empty if the fields are not what fields_of() makes for `logs` logs. Pure.
std::optional<Found> found_of(const base::Fields& fields, std::size_t logs);

}  // namespace twtrace::logs
