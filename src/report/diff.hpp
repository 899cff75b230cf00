// SPDX-License-Identifier: Apache-2.0
// Two captures side by side. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// Identifies an owner in both captures. Namespaces, pids and container ids differ from run to run, so they are merged.
/// `service` tells services of equal names apart.
struct DiffKey {
  model::RowKind kind = model::RowKind::kNormal;
  std::string service;
  std::string comm;
  std::optional<model::Role> role;
  std::optional<std::uint16_t> port;
  auto operator<=>(const DiffKey&) const = default;
};

/// An owner in both captures, or in one of them.
struct DiffRow {
  DiffKey key;
  model::Row row;                         ///< from the capture that has it, for its words; the counts are meaningless
  std::optional<model::Counters> before;  ///< empty: the row is new
  std::optional<model::Counters> after;   ///< empty: the row is gone
  double before_per_s = 0;                ///< created
  double after_per_s = 0;
  bool differs = false;  ///< see diff_reports()
};

/// What diff_reports() found.
struct Diff {
  Report before;
  Report after;  ///< its verdicts are those of the diff
  std::vector<DiffRow> rows;
  bool by_rate = false;               ///< the captures differ in length, so rows are sorted by rates
  std::optional<double> threshold;    ///< percent
  std::vector<std::string> warnings;  ///< one sentence for each thing that makes the comparison unfair
  /// Why nobody knows whether they differ: no row does, but one of them lacks something, or does not see what the other
  /// one counts (and a part of a capture may not be compared), or nobody of the selected names is known to have run.
  /// Empty if that is known.
  std::string unknown;

  /// True if some row differs.
  bool differ() const;
};

/// Matches rows by service, comm, role and port. The largest absolute change of created comes first (per second if the
/// lengths differ by more than 5%). Budgets apply to `after`. created_ratio compares the two captures.
///
/// Without a threshold a row differs if a count of it does that both captures know, or if only one of them has the row.
/// How buckets ended does not matter, because it depends on the time. With a threshold it differs if what it created
/// changed by more than so many percent of what all rows created before, or the same of refused, no_port, resets_felt
/// or queue_drops (per second if the lengths differ).
Diff diff_reports(Report before, Report after, const std::vector<Budget>& budgets, Partial partial = Partial::kFails,
                  std::optional<double> threshold = std::nullopt);

/// What both captures see.
model::Sight seen_by_both(const Diff& diff);

/// "+1,204", "-17", "0".
std::string change_words(std::uint64_t before, std::uint64_t after);
/// The same of a count of all that the captures have: per second if they differ in length, as "-43.9/s".
std::string total_change_words(const Diff& diff, std::uint64_t before, std::uint64_t after);

}  // namespace twtrace::report
