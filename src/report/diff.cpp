// SPDX-License-Identifier: Apache-2.0
#include "report/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "base/format.hpp"
#include "report/finding_words.hpp"
#include "report/nobody.hpp"
#include "report/verdict.hpp"
#include "view/service_names.hpp"

namespace twtrace::report {
namespace {

using model::Counters;

/// If the lengths of the captures differ by more, they are compared per second.
constexpr double kSameLength = 0.05;

/// What is held against a threshold: what was created, what was refused, and each way in which somebody was hurt.
constexpr std::array<model::CountName, 5> kThresholdCounts = {
    {{"created", model::count_of<&Counters::created>},
     {"refused", model::count_of<&Counters::refused>},
     {"no_port", model::count_of<&Counters::no_port>, &model::Sight::no_port},
     {"resets_felt", model::count_of<&Counters::resets_felt>, &model::Sight::resets_received},
     {"queue_drops", model::count_of<&Counters::queue_drops>, &model::Sight::queue_drops}}};

/// A container comes back with another id, so its name identifies it. Other services of equal names are told apart.
std::string service_of(const model::Row& row, const view::ServiceLabels& labels) {
  if (!row.service) return {};
  return row.service->container.empty() ? labels.label(*row.service) : row.service->name;
}

DiffKey key_of(const model::Row& row, const view::ServiceLabels& labels) {
  DiffKey key;
  key.kind = row.kind;
  if (row.kind != model::RowKind::kNormal) return key;
  key.service = service_of(row, labels);
  if (row.process) key.comm = row.process->comm;
  key.role = row.role;
  key.port = row.port;
  return key;
}

using Rows = std::map<DiffKey, DiffRow>;

void add(view::ServiceLabels& labels, const Report& report) {
  for (const Owner& owner : report.owners) {
    if (owner.row.service && owner.row.service->container.empty()) labels.add(*owner.row.service);
  }
}

void add(Rows& rows, const Report& report, const view::ServiceLabels& labels, std::optional<Counters> DiffRow::*side) {
  for (const Owner& owner : report.owners) {
    if (owner.row.kind == model::RowKind::kBeforeStart) continue;  // it says nothing about this capture
    const DiffKey key = key_of(owner.row, labels);
    DiffRow& row = rows[key];
    row.key = key;
    row.row = owner.row;
    row.row.service_label = key.service;
    (row.*side) = (row.*side).value_or(Counters{}) + owner.row.counts;
  }
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double change_of(const DiffRow& row, model::CountOf count) {
  const auto part = [&](const std::optional<Counters>& counts) {
    return counts ? static_cast<double>(count(*counts)) : 0.0;
  };
  return std::abs(part(row.after) - part(row.before));
}

double change(const DiffRow& row, bool by_rate) {
  return by_rate ? std::abs(row.after_per_s - row.before_per_s) : change_of(row, model::count_of<&Counters::created>);
}

/// What decides between rows whose created changed as much: refusals, then who was hurt.
std::pair<double, double> other_change(const DiffRow& row) {
  return {change_of(row, model::count_of<&Counters::overflow>), change_of(row, model::count_of<&Counters::harm>)};
}

bool same_length(const Report& before, const Report& after) {
  return std::abs(before.seconds - after.seconds) <= kSameLength * std::max(before.seconds, after.seconds);
}

void compare(std::vector<std::string>& warnings, const char* what, const std::string& before,
             const std::string& after) {
  if (before != after) warnings.push_back(fmt::format("{} differ: {} before, {} after", what, before, after));
}

std::string limits(const Report& report) {
  const std::string seen = report.namespaces.empty() ? "" : limits_seen(report.namespaces.front());
  return seen.empty() ? "unknown" : seen;
}

/// For reports on one namespace.
std::string only_namespace(const Report& report) {
  const std::string& name = report.namespaces.front().last.name;
  return name.empty() ? "one without a name" : name;
}

std::vector<std::string> missing_parts(const Report& before, const Report& after) {
  std::vector<std::string> parts;
  for (const auto& [side, report] : {std::pair("before", &before), std::pair("after", &after)}) {
    if (const std::string gone = missing(*report); !gone.empty()) parts.push_back(fmt::format("{}: {}", side, gone));
  }
  return parts;
}

std::string missed_words(const Report& report) {
  return fmt::format("{} created and {} refused", fmt::group_digits(missed_created(report)),
                     fmt::group_digits(missed_refused(report)));
}

std::vector<std::string> warnings_of(const Report& before, const Report& after) {
  std::vector<std::string> warnings;
  if (before.namespaces.size() == 1 && after.namespaces.size() == 1) {
    compare(warnings, "namespaces", only_namespace(before), only_namespace(after));
  }
  compare(warnings, "limits of the fullest namespace", limits(before), limits(after));
  compare(warnings, "kernels", before.info.host.kernel, after.info.host.kernel);
  compare(warnings, "hosts", before.info.host.name, after.info.host.name);
  compare(warnings, "backends", before.info.probe.backend, after.info.probe.backend);
  if (!same_length(before, after)) {
    compare(warnings, "durations", base::duration(before.seconds), base::duration(after.seconds));
  }
  compare(warnings, "counts that no BPF program saw", missed_words(before), missed_words(after));
  for (std::string& gone : missing_parts(before, after)) warnings.push_back(std::move(gone));
  return warnings;
}

/// What one of the captures counted and the other one could not see. Empty if there is nothing.
std::string seen_by_one(const Diff& diff) {
  struct Part {
    const char* name;
    bool model::Sight::*sees;
  };
  static constexpr std::array<Part, 5> kParts = {{{"no_port", &model::Sight::no_port},
                                                  {"no_port_bind", &model::Sight::no_port_bind},
                                                  {"resets_received", &model::Sight::resets_received},
                                                  {"resets_sent", &model::Sight::resets_sent},
                                                  {"queue_drops", &model::Sight::queue_drops}}};
  const auto matters = [&diff](const Part& part) {
    return !diff.threshold || std::any_of(kThresholdCounts.begin(), kThresholdCounts.end(),
                                          [&part](const model::CountName& count) { return count.needs == part.sees; });
  };
  std::string words;
  for (const auto& [side, sees, other] : {std::tuple("before", diff.before.info.probe.sees, diff.after.info.probe.sees),
                                          {"after", diff.after.info.probe.sees, diff.before.info.probe.sees}}) {
    std::string names;
    for (const Part& part : kParts) {
      if (sees.*part.sees || !(other.*part.sees) || !matters(part)) continue;
      names += (names.empty() ? "" : ", ") + std::string(part.name);
    }
    if (!names.empty()) words += (words.empty() ? "" : "; ") + std::string(side) + " does not see " + names;
  }
  return words;
}

bool counts_differ(const DiffRow& row, const model::Sight& both) {
  if (!row.before || !row.after) return true;
  return std::any_of(model::kCountNames.begin(), model::kCountNames.end(), [&](const model::CountName& count) {
    if (count.needs == &model::Sight::removal || !count.is_known(both)) return false;
    return count.of(*row.before) != count.of(*row.after);
  });
}

/// Whether `count` changed by more than `percent` of what all rows of BEFORE have of it.
bool exceeds(const DiffRow& row, const Diff& diff, double percent, const model::CountName& count) {
  const auto part = [&](const Counters& counts, const Report& report) {
    const auto number = static_cast<double>(count.of(counts));
    return diff.by_rate && report.seconds > 0 ? number / report.seconds : number;
  };
  const double change =
      std::abs(part(row.after.value_or(Counters{}), diff.after) - part(row.before.value_or(Counters{}), diff.before));
  return change > part(diff.before.totals, diff.before) * percent / 100;
}

bool differs(const DiffRow& row, const Diff& diff) {
  const model::Sight both = seen_by_both(diff);
  if (!diff.threshold) return counts_differ(row, both);
  return std::any_of(kThresholdCounts.begin(), kThresholdCounts.end(), [&](const model::CountName& count) {
    return count.is_known(both) && exceeds(row, diff, *diff.threshold, count);
  });
}

/// What makes a difference, if nothing that a program saw does: whose the other counts are, nobody knows.
std::string missed_by_one(const Diff& diff) {
  const auto matters = [&diff](std::uint64_t before, std::uint64_t after, std::uint64_t all) {
    const double change = std::abs(static_cast<double>(after) - static_cast<double>(before));
    return change > static_cast<double>(all) * diff.threshold.value_or(0) / 100;
  };
  const Report& before = diff.before;
  if (!matters(missed_created(before), missed_created(diff.after), before.totals.created()) &&
      !matters(missed_refused(before), missed_refused(diff.after), before.totals.refused())) {
    return {};
  }
  return fmt::format("no BPF program saw {} in before, and {} in after", missed_words(diff.before),
                     missed_words(diff.after));
}

}  // namespace

model::Sight seen_by_both(const Diff& diff) {
  model::Sight both = diff.before.info.probe.sees;
  return both &= diff.after.info.probe.sees;
}

bool Diff::differ() const {
  return std::any_of(rows.begin(), rows.end(), [](const DiffRow& row) { return row.differs; });
}

Diff diff_reports(Report before, Report after, const std::vector<Budget>& budgets, Partial partial,
                  std::optional<double> threshold) {
  Diff diff;
  diff.threshold = threshold;
  Rows rows;
  view::ServiceLabels labels;
  for (const Report* report : {&before, &after}) add(labels, *report);
  add(rows, before, labels, &DiffRow::before);
  add(rows, after, labels, &DiffRow::after);
  diff.by_rate = !same_length(before, after);
  diff.warnings = warnings_of(before, after);
  for (auto& [key, row] : rows) {
    row.before_per_s = per_second(row.before.value_or(Counters{}).created(), before.seconds);
    row.after_per_s = per_second(row.after.value_or(Counters{}).created(), after.seconds);
    diff.rows.push_back(std::move(row));
  }
  std::stable_sort(diff.rows.begin(), diff.rows.end(), [&](const DiffRow& left, const DiffRow& right) {
    const double of_left = change(left, diff.by_rate);
    const double of_right = change(right, diff.by_rate);
    return of_left != of_right ? of_left > of_right : other_change(left) > other_change(right);
  });
  after.verdicts.clear();
  if (!budgets.empty()) {
    Judge judge(after, before, partial);
    for (const Budget& budget : budgets) after.verdicts.push_back(judge.judge(budget));
  }
  diff.before = std::move(before);
  diff.after = std::move(after);
  for (DiffRow& row : diff.rows) row.differs = differs(row, diff);
  if (threshold) {  // else a row that differs may stand behind many that do not
    std::stable_partition(diff.rows.begin(), diff.rows.end(), [](const DiffRow& row) { return row.differs; });
  }
  const auto parts = missing_parts(diff.before, diff.after);
  if (partial == Partial::kFails && !diff.differ()) diff.unknown = parts.empty() ? seen_by_one(diff) : parts.front();
  if (diff.unknown.empty() && !diff.differ()) diff.unknown = missed_by_one(diff);
  if (diff.before.samples == 0 || diff.after.samples == 0) diff.unknown = "a capture without a sample says nothing";
  // A misspelt name must not pass, whether or not a part of a capture may be compared.
  if (diff.before.none_ran && diff.after.none_ran) {
    diff.unknown = nobody_words(diff.after.info, diff.after.selection);
  }
  return diff;
}

std::string change_words(std::uint64_t before, std::uint64_t after) {
  if (before == after) return "0";
  return after > before ? "+" + base::grouped(after - before) : "-" + base::grouped(before - after);
}

std::string total_change_words(const Diff& diff, std::uint64_t before, std::uint64_t after) {
  if (!diff.by_rate) return change_words(before, after);
  const double change = per_second(after, diff.after.seconds) - per_second(before, diff.before.seconds);
  const char* const sign = change > 0 ? "+" : change < 0 ? "-" : "";
  return sign + base::rate(std::abs(change)) + "/s";
}

}  // namespace twtrace::report
