// SPDX-License-Identifier: Apache-2.0
// Two captures side by side. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// What both captures know an owner by: namespaces, pids and ids of containers differ from run to run, so they are
/// merged. `service` is what tells it from other services of its name.
struct DiffKey {
  model::RowKind kind = model::RowKind::kNormal;
  std::string service;
  std::string comm;
  std::optional<model::Role> role;
  std::optional<std::uint16_t> port;
  auto operator<=>(const DiffKey&) const = default;
};

struct DiffRow {
  DiffKey key;
  model::Row row;                         ///< of the capture that has it, for its words; counts are meaningless
  std::optional<model::Counters> before;  ///< empty: the row is new
  std::optional<model::Counters> after;   ///< empty: the row is gone
  double before_per_s = 0;                ///< created
  double after_per_s = 0;

  /// Its created or refused counts are not the same, or it is new or gone. How buckets ended is a matter of time.

  bool differs() const;
};

struct Diff {
  Report before;
  Report after;  ///< its verdicts are those of the diff
  std::vector<DiffRow> rows;
  bool by_rate = false;               ///< the captures differ in length: rows are ordered by rates
  std::vector<std::string> warnings;  ///< one sentence each: what makes the comparison unfair

  /// Some row differs.
  bool differ() const;
};

/// Matches rows by service, comm, role and port; the largest absolute change of created comes first (per second when
/// the lengths differ by more than 5%). Budgets are about `after`; created_ratio compares the two captures.
Diff diff_reports(Report before, Report after, const std::vector<Budget>& budgets, Partial partial = Partial::kFails);

/// "+1,204", "-17", "0".
std::string change_words(std::uint64_t before, std::uint64_t after);

}  // namespace twtrace::report
