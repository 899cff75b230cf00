// SPDX-License-Identifier: Apache-2.0
// Rows as columns of text that fit into a given width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.hpp"
#include "view/columns.hpp"

namespace twtrace::view {

/// One column with the text of its cells: safe for a terminal, not yet padded.
struct FittedColumn {
  std::string_view title;
  base::Align align = base::Align::kLeft;
  std::size_t min_width = 0;       ///< as in Column
  int priority = 0;                ///< as Column has it
  const Column* column = nullptr;  ///< null if it is not a column of a Row
  std::vector<std::string> cells;  ///< one for each row
  std::size_t natural = 0;         ///< columns that title and cells want
  std::size_t width = 0;           ///< columns that they get
};

/// Columns in front of a line that row_marks() fills.
inline constexpr std::size_t kMarkColumns = 2;

/// "!" buckets of this row were refused; "x" all its processes have exited; "~" the owner is known by cgroup only.
/// Always kMarkColumns long.
std::string row_marks(const model::Row& row);

/// Which columns go if there is no room for all. Columns of priority 0 always stay.
enum class Dropping : std::uint8_t {
  kByPriority,  ///< as Column has it, but first those without a value in any cell; one that fits beside the rest stays
  kFromRight,
};

/// The cells of `rows`. No line is wider than `width` (0: unlimited), including the marks and one blank before each
/// column. Long text shrinks first, and different cells stay different. Then columns go. By priority, one without which
/// a row would have zeros only goes last (kWanted). A column of harm (Column::harm) that no row has any of is not there
/// at all. Pure.
std::vector<FittedColumn> fit_columns(const std::vector<Column>& columns, model::Group group,
                                      const model::ProbeInfo& probe, std::span<const model::Row> rows,
                                      std::size_t width, Dropping dropping = Dropping::kByPriority);

/// Makes columns with cells fit, as above: sets `natural` and `width`, and drops columns that have no room. `margin`
/// columns stay free in front.
void fit(std::vector<FittedColumn>& table, std::size_t width, std::size_t margin,
         Dropping dropping = Dropping::kByPriority);

}  // namespace twtrace::view
