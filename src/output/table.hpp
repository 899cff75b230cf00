// SPDX-License-Identifier: Apache-2.0
// The text table of batch mode. Legend, as in the man page:
//
//   !    in the first column: buckets of this row were refused, now or before
//   x    in the second column: the process has exited (all of them, if the row merges several)
//   ~    in the second column: the owner is known by cgroup and uid only, because nobody was seen closing
//   -    unknown to this backend, or not measured yet; never the same as 0
//   N pids           the row merges N processes
//   (other)          rows that were folded together to bound memory
//   (unattributed)   what no row took; with it the rows sum to the namespace
//   text~            cut to fit; \xNN and \u{NNNN} stand for bytes that a terminal would interpret or hide
//
// Above the table: TIME_WAIT in use/limit of the fullest namespaces, `= kernel` when twtrace's counts equal the
// kernel's own, `missed N created` if the kernel counted what no program saw, `kernel n/a` if its counter has another
// meaning here, and `lost:` if detail (never a count) was lost.
#pragma once

#include <cstddef>
#include <string>

#include "model/snapshot.hpp"
#include "output/style.hpp"
#include "view/sort.hpp"

namespace twtrace::output {

/// Said where the options of the command line leave no row.
inline constexpr const char* kNoRowMatches = "no row matches the command-line filters";

/// How a table looks.
struct TableOptions {
  bool wide = false;       ///< every column
  std::size_t width = 79;  ///< terminal columns; 0 = unlimited
  Color color = Color::kNever;
  view::SortColumn sort = view::SortColumn::kCreatedRate;  ///< of the rows; its column is always there
  bool filtered = false;                                   ///< the rows were selected: that there are none is said
  /// That no namespace was selected: said instead of that nothing went wrong. Empty: some were.
  std::string no_netns = {};
};

/// Summary lines, column titles and one line per row, each with its newline. No line is wider than `options.width`
/// (from 3 on): long text shrinks first, then columns go, by priority. Pure.
std::string snapshot_table(const model::Snapshot& snapshot, const TableOptions& options);

}  // namespace twtrace::output
