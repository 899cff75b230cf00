// SPDX-License-Identifier: Apache-2.0
// Measures what budgets ask for. Private to this folder.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "model/source.hpp"
#include "report/report.hpp"
#include "report/selected.hpp"

namespace twtrace::report {

/// Whose counts explain a value: those in these phases, and of one namespace where the value is that of one.
struct Scope {
  const NetnsReport* netns = nullptr;
  std::size_t first_phase = 0;
  std::size_t last_phase = std::numeric_limits<std::size_t>::max();
};

/// What the value may really be, because no program saw everything.
struct Range {
  double least = 0;
  double most = 0;
};

/// A measured value, or the reason why there is none.
struct Measured {
  std::optional<double> value;
  std::string words;
  Scope scope = {};
  std::optional<Range> range = {};  ///< empty: the value is exact
  std::string open = {};            ///< why it is a range; empty: because of what is unseen()
};

/// `baseline`: the same budget, asked of the report to compare with; null if there is none. `namespaces`: those that a
/// name of the budget may mean.
Measured measure(const Asked& asked, const Asked* baseline, const std::vector<model::NetnsName>& namespaces);

}  // namespace twtrace::report
