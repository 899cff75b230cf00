// SPDX-License-Identifier: Apache-2.0
// The sections of a report as plain text in tables, before a format escapes and arranges them. Private to this folder.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/escape.hpp"
#include "report/report.hpp"

namespace twtrace::output {

/// A name and a value. Any bytes.
struct Property {
  std::string name;
  std::string value;
};

/// A column of a Grid.
struct GridColumn {
  std::string title;
  base::Align align = base::Align::kRight;
  /// Plain text leaves out the columns with 1, then those with 2, before it cuts names to less than can be read; 0: it
  /// keeps the column.
  int spare = 0;
};

/// Cells for people; any bytes.
struct Grid {
  std::vector<GridColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Adds a row with words in one column and nothing else.
void add_words(Grid& grid, std::size_t column, std::string words);

/// A column of who was hurt, or refused for want of memory.
struct HarmColumn {
  const char* title;
  const char* words;  ///< in sentences
  std::uint64_t model::Counters::*count;
  bool model::Sight::*needs;  ///< what a backend must see to know it; null: every one does
};
bool is_known(const HarmColumn& column, const model::Sight& sees);
/// The columns of which `sum` has any.
std::vector<HarmColumn> harm_columns(const model::Counters& sum);
/// Appends a cell for each of these columns.
void append_harm(std::vector<std::string>& cells, const std::vector<HarmColumn>& columns,
                 const model::Counters& counts);
/// Which of `all` rows a table of at most `most` rows shows: the first ones, but always the one with the most in each
/// of some columns, if it has any. `amount(row, column)` is a number. Ascending.
template <class Amount>
std::vector<std::size_t> shown_rows(std::size_t all, std::size_t most, std::size_t columns, const Amount& amount) {
  std::set<std::size_t> shown;
  for (std::size_t column = 0; column < columns; ++column) {
    std::size_t worst = 0;
    for (std::size_t row = 1; row < all; ++row) {
      if (amount(row, column) > amount(worst, column)) worst = row;
    }
    if (worst < all && amount(worst, column) > 0) shown.insert(worst);
  }
  for (std::size_t row = 0; row < all && shown.size() < most; ++row) shown.insert(row);
  return {shown.begin(), shown.end()};
}

/// The number of rows in a report for people. The rest is one line.
inline constexpr std::size_t kOwnersShown = 10;
inline constexpr std::size_t kPeersShown = 5;

/// Host, command, times, limits.
std::vector<Property> header_properties(const report::Report& report);
/// Kernel, losses, backend, cost.
std::vector<Property> trust_properties(const report::Report& report);
/// Before, during and after, for the fullest namespace or for all of them. One row per phase.
Grid phases_grid(const report::Report& report, bool fullest);
/// At most this many rows, most arrivals first, and who was hurt most. Then the sum of the others, and the sum of all.
/// Owners of no arrival and of no bucket from before start have no row; if all are such, there are no rows.
Grid owners_grid(const report::Report& report, std::size_t most);
/// At most this many remote ends, most arrivals first, and who was hurt most. Then how many more there are.
Grid peers_grid(const report::Report& report, std::size_t most);
/// False if no time of it is known, or if the clock was set, so that its points are in no order.
bool has_timeline(const report::Report& report);
/// The troubles, a line each, the worst first, and how many more there are.
std::vector<std::string> trouble_lines(const report::Report& report);
/// How a budget came out.
struct VerdictLine {
  bool fails = false;
  std::string budget;
  std::string words;  ///< the measured value and the culprit
};
std::vector<VerdictLine> verdict_lines(const report::Report& report);
/// The measured value and the culprit.
std::string measured_words(const report::Verdict& verdict);
/// "web1, ./deploy.sh, 2026-01-02 03:04".
std::string report_title(const report::Report& report);
/// The name of the fullest namespace, for a heading.
std::string fullest_name(const report::Report& report);
/// What a heading adds to that name when there are several: ", the fullest", or of which ones it is.
std::string fullest_of(const report::Report& report);

/// A moment of the capture that a timeline shows.
struct Marker {
  std::int64_t time_unix_ms = 0;
  std::string name;
};
/// Start and end of the command, and every mark, ascending.
std::vector<Marker> markers(const report::Report& report);

/// "+12.3s" since the beginning of the capture.
std::string offset_words(const report::Report& report, std::int64_t time_unix_ms);
/// A command line as one would type it.
std::string command_words(const std::vector<std::string>& argv);
/// "2026-01-02 03:04:05Z".
std::string time_words(std::int64_t unix_ms);
/// "12.3%", "-" when not known.
std::string percent_words(const std::optional<double>& percent);
/// "1,234", "-" when not known.
std::string count_words(const std::optional<std::uint64_t>& count);

}  // namespace twtrace::output
