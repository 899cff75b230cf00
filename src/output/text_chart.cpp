// SPDX-License-Identifier: Apache-2.0
#include "output/text_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "output/chart_scale.hpp"
#include "output/report_parts.hpp"
#include "output/wrap.hpp"

namespace twtrace::output {
namespace {

using report::Report;
using report::TimelinePoint;

constexpr std::size_t kRows = 8;
constexpr std::size_t kAxisColumns = 7;
constexpr std::size_t kChartColumns = kTextColumns - kAxisColumns - 1;
constexpr std::size_t kMarksNamed = 26;

/// The data of one column of the chart.
struct Slice {
  std::uint64_t in_use = 0;
  std::uint64_t limit = 0;
  std::uint64_t refused = 0;
  std::uint64_t resets = 0;  ///< of all namespaces, if the capture followed a log
  std::uint64_t errors = 0;  ///< lines of logs
};

std::string label(const std::string& text) { return base::pad(text, kAxisColumns, base::Align::kRight) + " "; }

std::string finish(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::size_t column_of(const Report& report, std::int64_t time_unix_ms, std::size_t columns) {
  const std::int64_t whole = std::max<std::int64_t>(report.end_unix_ms - report.begin_unix_ms, 1);
  const std::int64_t offset = std::clamp<std::int64_t>(time_unix_ms - report.begin_unix_ms, 0, whole);
  return std::min(
      static_cast<std::size_t>(static_cast<double>(offset) / static_cast<double>(whole) * static_cast<double>(columns)),
      columns - 1);
}

/// Calls `raise(slice)` for each column that a point covers.
template <class Point, class Raise>
void cover(const Report& report, const Point& point, std::vector<Slice>& all, const Raise& raise) {
  const std::size_t first = column_of(report, point.begin_unix_ms, all.size());
  const std::size_t last = std::max(column_of(report, point.end_unix_ms - 1, all.size()), first);
  for (std::size_t i = first; i <= last; ++i) raise(all[i]);
}

std::vector<Slice> slices(const Report& report, std::size_t columns) {
  std::vector<Slice> all(columns);
  for (const TimelinePoint& point : report.namespaces.front().timeline) {
    cover(report, point, all, [&](Slice& slice) {
      slice.in_use = std::max(slice.in_use, point.in_use.value_or(0));
      slice.limit = std::max(slice.limit, point.limit.value_or(0));
      slice.refused = std::max(slice.refused, point.refused);
    });
  }
  for (const report::LogPoint& point : report.logs.timeline) {
    cover(report, point, all, [&](Slice& slice) {
      slice.resets = std::max(slice.resets, point.resets);
      slice.errors = std::max(slice.errors, point.lines);
    });
  }
  return all;
}

/// A line with a sign in each column in which something was counted; empty if nothing was.
std::string signs(const char* name, char sign, const std::vector<Slice>& all, std::uint64_t Slice::*count) {
  if (std::all_of(all.begin(), all.end(), [&](const Slice& slice) { return slice.*count == 0; })) return {};
  std::string line = label(name);
  for (const Slice& slice : all) line += slice.*count != 0 ? sign : ' ';
  return finish(line);
}

/// The number of rows that `value` fills; at least one if it is above 0.
std::size_t height(std::uint64_t value, std::uint64_t top) {
  if (value == 0 || top == 0) return 0;
  const auto rows = static_cast<std::size_t>(static_cast<double>(value) / static_cast<double>(top) * kRows);
  return std::clamp<std::size_t>(rows, 1, kRows);
}

/// Letters under the chart, and their legend.
std::string marks(const Report& report, std::size_t columns) {
  std::string line(columns, ' ');
  std::string legend;
  std::size_t named = 0;
  for (const Marker& moment : markers(report)) {
    if (named == kMarksNamed) break;
    const char letter = static_cast<char>('a' + static_cast<char>(named++));
    std::size_t column = column_of(report, moment.time_unix_ms, columns);
    // Letters of moments at the same place stand side by side.
    while (column + 1 < columns && line[column] != ' ') ++column;
    line[column] = letter;
    const std::string text = fmt::format("{} {} {}", letter, offset_words(report, moment.time_unix_ms), moment.name);
    legend += std::string(kAxisColumns + 1, ' ') + base::fit(base::sanitize_terminal(text), kChartColumns) + "\n";
  }
  if (named == 0) return {};
  return finish(label("") + line) + legend;
}

/// How long a column is.
std::string column_words(std::int64_t all_ms, std::size_t columns) {
  const double ms = static_cast<double>(all_ms) / static_cast<double>(columns);
  return ms < 100 ? fmt::format("{:.0f}ms", ms) : base::duration(ms / 1000);
}

}  // namespace

std::string text_chart(const Report& report) {
  if (!has_timeline(report)) return {};
  // There are never more columns than points, because a column without data would look like an empty table.
  const std::size_t points = report.namespaces.front().timeline.size();
  const std::size_t columns = std::min(kChartColumns, points * std::max<std::size_t>(kChartColumns / points, 1));
  const std::vector<Slice> all = slices(report, columns);
  const ChartScale scale = chart_scale(report);
  std::string out;
  for (std::size_t row = kRows; row >= 1; --row) {
    std::string line = label(row == kRows ? base::human_count(scale.top) : row == 1 ? "0" : "");
    for (const Slice& slice : all) {
      const bool at_limit = scale.limit_shown && row == kRows && slice.limit != 0;
      line += height(slice.in_use, scale.top) >= row ? '#' : at_limit ? '-' : ' ';
    }
    out += finish(line);
  }
  out += signs("refused", '!', all, &Slice::refused) + signs("resets", 'x', all, &Slice::resets) +
         signs("errors", 'e', all, &Slice::errors);
  out += marks(report, columns);
  const std::string limit = scale.limit_shown ? fmt::format("- the limit of {}", fmt::group_digits(scale.limit))
                            : scale.limit != 0
                                ? fmt::format("the limit of {} is above the chart", fmt::group_digits(scale.limit))
                            : report.namespaces.front().last.limit ? "the limit is 0"
                                                                   : "the limit is not known";
  return out + label("") +
         fmt::format("# in use; {}; {} a column\n", limit,
                     column_words(report.end_unix_ms - report.begin_unix_ms, columns));
}

}  // namespace twtrace::output
