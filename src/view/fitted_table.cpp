// SPDX-License-Identifier: Apache-2.0
#include "view/fitted_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/cut_apart.hpp"
#include "base/escape.hpp"
#include "base/format.hpp"

namespace twtrace::view {
namespace {

struct CellText {
  std::string operator()(std::monostate) const { return "-"; }
  std::string operator()(std::uint64_t count) const { return fmt::format("{}", count); }
  std::string operator()(double rate) const { return base::rate(rate); }
  std::string operator()(const std::string& text) const { return text.empty() ? "-" : base::sanitize_terminal(text); }
};

std::string cell_text(const Column& column, model::Group group, const model::ProbeInfo& probe, const model::Row& row) {
  const auto own_text = [&] {
    if (column.text != nullptr) return CellText{}(column.text(row));
    return std::visit(CellText{}, column.value(probe, row));
  };
  if (row.kind == model::RowKind::kNormal || column.name != label_column(group)) return own_text();
  if (row.kind == model::RowKind::kGone) return fmt::format("({} gone)", base::grouped(row.namespaces));
  const std::string label(row_label(row.kind));
  const std::string text = row.kind == model::RowKind::kBeforeStart ? own_text() : "-";
  return text == "-" ? label : text + " " + label;
}

FittedColumn fill_column(const Column& column, model::Group group, const model::ProbeInfo& probe,
                         std::span<const model::Row> rows) {
  FittedColumn filled{column.title, column.align, column.min_width, column.priority, &column, {}, 0, 0};
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

std::size_t sum_of_least(const std::vector<FittedColumn>& table, std::size_t margin) {
  std::size_t total = margin;
  for (const FittedColumn& filled : table) total += 1 + least_width(filled);
  return total;
}

std::size_t sum_of_widths(const std::vector<FittedColumn>& table, std::size_t margin) {
  std::size_t total = margin;
  for (const FittedColumn& filled : table) total += 1 + filled.width;
  return total;
}

void drop_columns(std::vector<FittedColumn>& table, std::size_t width, std::size_t margin) {
  while (true) {
    // The last of the highest. max_element keeps the first, so this searches from the right.
    const auto victim =
        std::max_element(table.rbegin(), table.rend(),
                         [](const FittedColumn& a, const FittedColumn& b) { return a.priority < b.priority; });
    if (victim == table.rend() || victim->priority == 0) return;
    const std::size_t wanted = victim->priority >= kSpare ? sum_of_widths(table, margin) : sum_of_least(table, margin);
    if (wanted <= width) return;
    table.erase(std::next(victim).base());
  }
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

}  // namespace

std::string row_marks(const model::Row& row) {
  std::string text = row.counts.refused() != 0 ? "! " : "  ";
  if (row.process && row.process->exited) text[1] = 'x';
  if (row.attribution == model::Attribution::kCgroup) text[1] = '~';
  return text;
}

std::vector<FittedColumn> fit_columns(const std::vector<Column>& columns, model::Group group,
                                      const model::ProbeInfo& probe, std::span<const model::Row> rows,
                                      std::size_t width) {
  std::vector<FittedColumn> table;
  table.reserve(columns.size());
  for (const Column& column : columns) table.push_back(fill_column(column, group, probe, rows));
  fit(table, width, kMarkColumns);
  return table;
}

void fit(std::vector<FittedColumn>& table, std::size_t width, std::size_t margin) {
  for (FittedColumn& filled : table) measure(filled);
  if (width == 0) return;
  drop_columns(table, width, margin);
  shrink_columns(table, width, margin);
  for (FittedColumn& filled : table) {
    if (filled.align == base::Align::kLeft && filled.width < filled.natural)
      base::cut_apart(filled.cells, filled.width);
  }
}

}  // namespace twtrace::view
