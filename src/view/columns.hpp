// SPDX-License-Identifier: Apache-2.0
// One list of columns per group, read by the text table, the live view and CSV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/escape.hpp"
#include "model/snapshot.hpp"
#include "view/sort.hpp"

namespace twtrace::view {

/// The value of a row in a column: nothing (unknown to the backend, or merged by the group), a count, a rate per
/// second, or text from outside that is not yet sanitized.
using Value = std::variant<std::monostate, std::uint64_t, double, std::string>;

/// A column, declared once. Immutable; strings live for the whole run.
struct Column {
  std::string_view name;   ///< as in JSON; the CSV header
  std::string_view title;  ///< in the table
  std::string_view help;   ///< one line for help and the man page
  base::Align align = base::Align::kRight;
  std::size_t min_width = 0;  ///< a table may shrink it to this; 0: it never shrinks
  int priority = 0;           ///< if a table is too wide, the highest goes first, and the rightmost of equals; 0: stays
  Value (*value)(const model::ProbeInfo&, const model::Row&) = nullptr;
  std::string (*text)(const model::Row&) =
      nullptr;  ///< the text that a table shows instead of `value`; not sanitized; may be null
  std::optional<SortColumn> sort = std::nullopt;  ///< the sort column for it
  /// Counts who was hurt: shown only where a row has some. It is spare (kSpare), unless a row has more of it than
  /// buckets, created and refused: then it is worth kHarmPriority.
  bool harm = false;
};

/// The columns of a group, in order. `wide` has every split and identifier after the default ones, and shows who was
/// hurt in any case. CSV uses the wide list. The reference stays valid for the whole run; safe from any thread.
const std::vector<Column>& columns(model::Group group, bool wide);

/// The same, and where the rows are sorted by another column of the group, that one as well. The sorted one is
/// wanted().
std::vector<Column> columns_sorted_by(SortColumn sorted, model::Group group, bool wide);

/// The priority of columns that go last.
inline constexpr int kWanted = 1;
/// A column that the user asked for: it goes last, and is there even if it has only zeros.
Column wanted(Column column);

/// A column of this priority or more is shown only where no text has to be cut for it.
inline constexpr int kSpare = 100;

/// Column::priority of Column::harm where it is the most that a row has to say.
inline constexpr int kHarmPriority = 55;

/// What the live view can show of a group, in order.
struct LiveColumns {
  std::vector<Column> all;
  /// So many of them, from the first on, are shown unless the user takes them away: the default ones, how full
  /// (Row::use), and spare ones. The others are shown if the user asks for them.
  std::size_t usual = 0;
  /// Column::name of the usual one that tells namespaces apart: where there is only one, it says nothing.
  std::string_view telling_netns_apart;
};
const LiveColumns& live_columns(model::Group group);

/// False if rows of the group have nothing like that, so that they cannot be sorted by it.
bool can_sort(model::Group group, SortColumn column);

/// What people type to sort by it, in upper or lower case: the name of SortName, or the title that a table gives the
/// column.
std::optional<SortColumn> sort_column_typed(std::string_view typed);

/// The column that a table gives this title, in upper or lower case; null if there is none.
const Column* column_titled(std::string_view title);

/// The column in which a table names "(other)" and "(unattributed)" rows.
std::string_view label_column(model::Group group);

/// A row's port as people read it: `*` for the many of one owner, empty where the group merges ports.
std::string shown_port(std::optional<model::Role> role, std::optional<std::uint16_t> port);

/// "normal", "other", "unattributed", "before_start", "gone".
std::string_view row_kind(model::RowKind kind);

/// "" for a normal row, else the same in parentheses, as people read it.
std::string_view row_label(model::RowKind kind);

}  // namespace twtrace::view
