// SPDX-License-Identifier: Apache-2.0
#include "output/diff_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/format.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

using base::grouped;
using report::Diff;
using report::DiffRow;
using report::Report;

std::uint64_t created(const std::optional<model::Counters>& counts) { return counts ? counts->created() : 0; }

std::string state(const DiffRow& row, const Diff& diff) {
  if (diff.threshold && !row.differs) return "same";
  return !row.before ? "new" : !row.after ? "gone" : "";
}

/// `count`: a member of model::Counters, of either kind.
template <class Count>
std::string change_words(const DiffRow& row, Count count) {
  const auto part = [count](const std::optional<model::Counters>& counts) -> std::uint64_t {
    return counts ? std::invoke(count, *counts) : 0;
  };
  return report::change_words(part(row.before), part(row.after));
}

/// True if both captures know that count. What one of them does not know is no change.
bool is_known(const Diff& diff, const HarmColumn& column) { return is_known(column, report::seen_by_both(diff)); }

/// The columns of which some row has any, in one of the captures.
std::vector<HarmColumn> harm_of_rows(const Diff& diff) {
  model::Counters sum;
  for (const DiffRow& row : diff.rows) {
    sum += row.before.value_or(model::Counters{});
    sum += row.after.value_or(model::Counters{});
  }
  return harm_columns(sum);
}

std::string service_of(const DiffRow& row) {
  if (row.key.kind != model::RowKind::kNormal) return std::string(view::row_label(row.key.kind));
  return row.key.service.empty() ? "-" : row.key.service;
}

}  // namespace

std::string diff_headline(const Diff& diff) {
  const auto count = [&](auto&& test) { return std::count_if(diff.rows.begin(), diff.rows.end(), test); };
  const auto differing = count([](const DiffRow& row) { return row.differs; });
  const std::string more = diff.threshold ? fmt::format(" by more than {}%", *diff.threshold) : "";
  if (!diff.unknown.empty()) {
    return fmt::format("it is not known whether the captures differ ({}); what was recorded does not{}: {} rows",
                       diff.unknown, more, diff.rows.size());
  }
  if (differing == 0) {
    return fmt::format("the captures do not differ{}: {} rows{}", more, diff.rows.size(),
                       diff.threshold ? "" : ", all the same");
  }
  const model::Counters& before = diff.before.totals;
  const model::Counters& after = diff.after.totals;
  std::string words =
      fmt::format("the captures differ in {} of {} rows{} ({} new, {} gone); created {}, overflow {}", differing,
                  diff.rows.size(), more, count([](const DiffRow& row) { return row.differs && !row.before; }),
                  count([](const DiffRow& row) { return row.differs && !row.after; }),
                  report::total_change_words(diff, before.created(), after.created()),
                  report::total_change_words(diff, before.overflow(), after.overflow()));
  for (const HarmColumn& column : harm_columns(before + after)) {
    const bool known = is_known(diff, column);
    words +=
        fmt::format(", {} {}", column.words,
                    known ? report::total_change_words(diff, before.*column.count, after.*column.count) : "not known");
  }
  return words;
}

Grid diff_captures_grid(const Diff& diff) {
  Grid grid;
  grid.columns = {{"", base::Align::kLeft}, {"before"}, {"after"}};
  const auto add = [&](const char* name, const auto& cell) {
    grid.rows.push_back({name, cell(diff.before), cell(diff.after)});
  };
  add("host", [](const Report& report) { return report.info.host.name; });
  add("kernel", [](const Report& report) { return report.info.host.kernel; });
  add("began", [](const Report& report) { return time_words(report.begin_unix_ms); });
  add("time", [](const Report& report) { return base::duration(report.seconds); });
  add("limit", [](const Report& report) {
    return report.namespaces.empty() ? std::string("-") : count_words(report.namespaces.front().last.limit);
  });
  add("in use, peak", [](const Report& report) {
    return report.namespaces.empty() ? std::string("-") : count_words(report.namespaces.front().in_use_peak);
  });
  add("created", [](const Report& report) { return grouped(report.totals.created()); });
  add("created/s", [](const Report& report) {
    return report.seconds > 0 ? base::rate(static_cast<double>(report.totals.created()) / report.seconds) : "-";
  });
  add("overflow", [](const Report& report) { return grouped(report.totals.overflow()); });
  add("no_memory", [](const Report& report) { return grouped(report.totals.no_memory); });
  for (const HarmColumn& column : harm_columns(diff.before.totals + diff.after.totals)) {
    if (column.count == &model::Counters::no_memory) continue;  // has a line already
    add(column.words, [&](const Report& report) {
      return is_known(column, report.info.probe.sees) ? grouped(report.totals.*column.count) : std::string("-");
    });
  }
  return grid;
}

Grid diff_grid(const Diff& diff) {
  Grid grid;
  grid.columns = {{"", base::Align::kLeft},
                  {"SERVICE", base::Align::kLeft},
                  {"PROCESS", base::Align::kLeft},
                  {"ROLE", base::Align::kLeft},
                  {"PORT"},
                  {"BEFORE", base::Align::kRight, 1},
                  {"AFTER", base::Align::kRight, 1},
                  {"CREATED"}};
  if (diff.by_rate) grid.columns.push_back({"/S BEFORE", base::Align::kRight, 2});
  if (diff.by_rate) grid.columns.push_back({"/S AFTER", base::Align::kRight, 2});
  grid.columns.push_back({"OVERFLOW"});
  const std::vector<HarmColumn> harm = harm_of_rows(diff);
  for (const HarmColumn& column : harm) grid.columns.push_back({column.title});
  const auto change = [&](std::size_t row, std::size_t column) {
    const auto part = [&](const std::optional<model::Counters>& counts) -> std::uint64_t {
      if (!counts) return 0;
      return column == harm.size() ? counts->overflow() : *counts.*harm[column].count;
    };
    const std::uint64_t before = part(diff.rows[row].before);
    const std::uint64_t after = part(diff.rows[row].after);
    return std::max(before, after) - std::min(before, after);
  };
  const std::vector<std::size_t> shown = shown_rows(diff.rows.size(), kDiffRowsShown, harm.size() + 1, change);
  for (const std::size_t i : shown) {
    const DiffRow& row = diff.rows[i];
    std::vector<std::string> cells = {state(row, diff),
                                      service_of(row),
                                      row.key.comm.empty() ? "-" : row.key.comm,
                                      row.key.role ? model::to_string(*row.key.role) : "-",
                                      row.key.role ? view::shown_port(row.key.role, row.key.port) : "-",
                                      row.before ? grouped(row.before->created()) : "-",
                                      row.after ? grouped(row.after->created()) : "-",
                                      report::change_words(created(row.before), created(row.after))};
    if (diff.by_rate) cells.push_back(base::rate(row.before_per_s));
    if (diff.by_rate) cells.push_back(base::rate(row.after_per_s));
    cells.push_back(change_words(row, &model::Counters::overflow));
    for (const HarmColumn& column : harm) {
      cells.push_back(is_known(diff, column) ? change_words(row, column.count) : "-");
    }
    grid.rows.push_back(std::move(cells));
  }
  if (shown.size() < diff.rows.size()) {
    add_words(grid, 1, fmt::format("+{} more rows", diff.rows.size() - shown.size()));
  }
  return grid;
}

}  // namespace twtrace::output
