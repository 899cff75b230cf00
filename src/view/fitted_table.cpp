// SPDX-License-Identifier: Apache-2.0
#include "view/fitted_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/cut_apart.hpp"
#include "base/escape.hpp"
#include "base/format.hpp"

namespace twtrace::view {
namespace {

constexpr std::string_view kNothing = "-";

struct CellText {
  std::string operator()(std::monostate) const { return std::string(kNothing); }
  std::string operator()(std::uint64_t count) const { return fmt::format("{}", count); }
  std::string operator()(double rate) const { return base::rate(rate); }
  std::string operator()(const std::string& text) const {
    return base::sanitize_terminal(text.empty() ? kNothing : text);
  }
};

std::string cell_text(const Column& column, model::Group group, const model::ProbeInfo& probe, const model::Row& row) {
  const auto own_text = [&] {
    if (column.text != nullptr) return CellText{}(column.text(row));
    return std::visit(CellText{}, column.value(probe, row));
  };
  if (row.kind == model::RowKind::kNormal || column.name != label_column(group)) return own_text();
  if (row.kind == model::RowKind::kGone) return fmt::format("({} gone)", fmt::group_digits(row.namespaces));
  const std::string label(row_label(row.kind));
  const std::string text = row.kind == model::RowKind::kBeforeStart ? own_text() : std::string(kNothing);
  return text == kNothing ? label : text + " " + label;
}

std::uint64_t harm_of(const Column& column, const model::ProbeInfo& probe, const model::Row& row) {
  const Value value = column.value(probe, row);
  const auto* count = std::get_if<std::uint64_t>(&value);
  return count == nullptr ? 0 : *count;
}

/// True for numbers of which a row may have some. Spare ones say nothing that another column does not say, and how full
/// a table or a destination is says nothing of the row.
bool is_amount(const Column& column) {
  if (!column.sort || (column.priority >= kSpare && !column.harm)) return false;
  const SortColumn sort = *column.sort;
  return sort != SortColumn::kPid && sort != SortColumn::kComm && sort != SortColumn::kService &&
         sort != SortColumn::kPort && sort != SortColumn::kUse;
}

bool has_some(const Column& column, const model::ProbeInfo& probe, const model::Row& row) {
  const Value value = column.value(probe, row);
  if (const auto* rate = std::get_if<double>(&value)) return *rate != 0;
  const auto* count = std::get_if<std::uint64_t>(&value);
  return count != nullptr && *count != 0;
}

/// True if this column is the most that a row has to say: without it, some would be zeros only.
bool explains_a_row(const Column& column, const model::ProbeInfo& probe, std::span<const model::Row> rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const model::Row& row) {
    return harm_of(column, probe, row) > row.counts.created() + row.counts.refused();
  });
}

FittedColumn fill_column(const Column& column, model::Group group, const model::ProbeInfo& probe,
                         std::span<const model::Row> rows) {
  FittedColumn filled{column.title, column.align, column.min_width, column.priority, &column, {}, 0, 0};
  if (column.harm && explains_a_row(column, probe, rows)) filled.priority = kHarmPriority;
  filled.cells.reserve(rows.size());
  for (const model::Row& row : rows) filled.cells.push_back(cell_text(column, group, probe, row));
  return filled;
}

void measure(FittedColumn& filled) {
  filled.natural = filled.title.size();
  for (const std::string& cell : filled.cells) filled.natural = std::max(filled.natural, base::display_width(cell));
  filled.width = filled.natural;
}

/// The smallest width of a column.
std::size_t least_width(const FittedColumn& filled) {
  return filled.min_width == 0 ? filled.natural : std::min(filled.natural, filled.min_width);
}

std::size_t sum_of_widths(const std::vector<FittedColumn>& table, std::size_t margin) {
  std::size_t total = margin;
  for (const FittedColumn& filled : table) total += 1 + filled.width;
  return total;
}

bool says_nothing(const FittedColumn& filled) {
  return !filled.cells.empty() && std::all_of(filled.cells.begin(), filled.cells.end(),
                                              [](const std::string& cell) { return cell == kNothing; });
}

/// Decides which columns of a table get room.
class Choice {
 public:
  Choice(const std::vector<FittedColumn>& table, std::size_t width, std::size_t margin)
      : table_(table), width_(width), margin_(margin), kept_(table.size(), true) {}

  void drop_from_right() {
    for (std::size_t i = table_.size(); i-- != 0 && !fits();) kept_[i] = table_[i].priority == 0;
  }

  void drop_by_priority() {
    std::vector<std::size_t> order;  // the last of the highest goes first
    for (std::size_t i = table_.size(); i-- != 0;) {
      if (table_[i].priority != 0) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [this](auto a, auto b) { return rank(table_[a]) > rank(table_[b]); });
    auto end = order.begin();
    while (end != order.end() && !fits()) kept_[*end++] = false;
    // One that needs less room than those that went after it, and for which no text is cut.
    while (end != order.begin()) {
      kept_[*--end] = true;
      if (!fits_whole()) kept_[*end] = false;
    }
  }

  const std::vector<bool>& kept() const { return kept_; }

 private:
  /// What says nothing is spare, unless it was asked for.
  static int rank(const FittedColumn& filled) {
    return filled.priority > kWanted && says_nothing(filled) ? std::max(filled.priority, kSpare) : filled.priority;
  }

  template <class WidthOf>
  std::size_t sum_of(WidthOf width_of) const {
    std::size_t total = margin_;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (kept_[i]) total += 1 + width_of(table_[i]);
    }
    return total;
  }

  bool fits_whole() const {
    return sum_of([](const FittedColumn& filled) { return filled.natural; }) <= width_;
  }

  /// Beside a spare column no text is cut.
  bool fits() const {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (kept_[i] && rank(table_[i]) >= kSpare) return fits_whole();
    }
    return sum_of(least_width) <= width_;
  }

  const std::vector<FittedColumn>& table_;
  std::size_t width_;
  std::size_t margin_;
  std::vector<bool> kept_;
};

std::vector<bool> kept_columns(const std::vector<FittedColumn>& table, std::size_t width, std::size_t margin,
                               Dropping dropping) {
  Choice choice(table, width, margin);
  dropping == Dropping::kFromRight ? choice.drop_from_right() : choice.drop_by_priority();
  return choice.kept();
}

void drop_columns(std::vector<FittedColumn>& table, const std::vector<bool>& kept) {
  std::size_t index = 0;
  std::erase_if(table, [&](const FittedColumn&) { return !kept[index++]; });
}

/// The most important dropped column that has a number of a row of which those that stay have zeros only; null if there
/// is none, or no room for it.
FittedColumn* missing_amount(std::vector<FittedColumn>& table, const std::vector<bool>& kept,
                             const model::ProbeInfo& probe, std::span<const model::Row> rows) {
  FittedColumn* most = nullptr;
  for (const model::Row& row : rows) {
    FittedColumn* here = nullptr;
    bool is_told = false;
    for (std::size_t i = 0; i < table.size() && !is_told; ++i) {
      FittedColumn& filled = table[i];
      if (!is_amount(*filled.column) || !has_some(*filled.column, probe, row)) continue;
      is_told = kept[i];
      if (filled.priority > kWanted && (here == nullptr || filled.priority < here->priority)) here = &filled;
    }
    if (!is_told && here != nullptr && (most == nullptr || here->priority < most->priority)) most = here;
  }
  return most;
}

// Takes columns from the widest text first, so that no text gets too little room.
void shrink_columns(std::vector<FittedColumn>& table, std::size_t width, std::size_t margin) {
  for (std::size_t total = sum_of_widths(table, margin); total > width; --total) {
    FittedColumn* widest = nullptr;
    for (FittedColumn& filled : table) {
      if (filled.width > least_width(filled) && (widest == nullptr || filled.width > widest->width)) widest = &filled;
    }
    if (widest == nullptr) return;
    --widest->width;
  }
}

void finish(std::vector<FittedColumn>& table, const std::vector<bool>& kept, std::size_t width, std::size_t margin) {
  drop_columns(table, kept);
  shrink_columns(table, width, margin);
  for (FittedColumn& filled : table) {
    if (filled.align == base::Align::kLeft && filled.width < filled.natural)
      base::cut_apart(filled.cells, filled.width);
  }
}

}  // namespace

std::string row_marks(const model::Row& row) {
  std::string text = row.counts.refused() != 0 ? "! " : "  ";
  if (row.process && row.process->exited) text[1] = 'x';
  if (row.attribution == model::Attribution::kCgroup) text[1] = '~';
  return text;
}

std::vector<FittedColumn> fit_columns(const std::vector<Column>& columns, model::Group group,
                                      const model::ProbeInfo& probe, std::span<const model::Row> rows,
                                      std::size_t width, Dropping dropping) {
  std::vector<FittedColumn> table;
  table.reserve(columns.size());
  for (const Column& column : columns) {
    const auto hurt = [&](const model::Row& row) { return harm_of(column, probe, row) != 0; };
    if (column.harm && std::none_of(rows.begin(), rows.end(), hurt)) continue;
    table.push_back(fill_column(column, group, probe, rows));
  }
  for (FittedColumn& filled : table) measure(filled);
  if (width == 0) return table;
  std::vector<bool> kept = kept_columns(table, width, kMarkColumns, dropping);
  while (dropping == Dropping::kByPriority) {
    FittedColumn* const missing = missing_amount(table, kept, probe, rows);
    if (missing == nullptr) break;
    missing->priority = kWanted;
    kept = kept_columns(table, width, kMarkColumns, dropping);
  }
  finish(table, kept, width, kMarkColumns);
  return table;
}

void fit(std::vector<FittedColumn>& table, std::size_t width, std::size_t margin, Dropping dropping) {
  for (FittedColumn& filled : table) measure(filled);
  if (width != 0) finish(table, kept_columns(table, width, margin, dropping), width, margin);
}

}  // namespace twtrace::view
