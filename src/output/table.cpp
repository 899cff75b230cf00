// SPDX-License-Identifier: Apache-2.0
#include "output/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "output/columns.hpp"
#include "output/summary.hpp"

namespace twtrace::output {
namespace {

constexpr std::size_t kMarkColumns = 2;

struct CellText {
  std::string operator()(std::monostate) const { return "-"; }
  std::string operator()(std::uint64_t count) const { return fmt::format("{}", count); }
  std::string operator()(double rate) const { return base::rate(rate); }
  std::string operator()(const std::string& text) const { return text.empty() ? "-" : base::sanitize_terminal(text); }
};

// One column of this table with its cells as text. `least` is what it may shrink to, `width` what it gets.
struct Filled {
  const Column* column;
  std::vector<std::string> cells;
  std::size_t natural;
  std::size_t least;
  std::size_t width;
};

std::string cell_text(const Column& column, const model::Snapshot& snapshot, const model::Row& row) {
  if (row.kind != model::RowKind::kNormal && column.name == label_column(snapshot.group)) {
    return std::string(row_label(row.kind));
  }
  if (column.text != nullptr) return CellText{}(column.text(row));
  return std::visit(CellText{}, column.value(snapshot.probe, row));
}

Filled fill_column(const Column& column, const model::Snapshot& snapshot) {
  Filled filled{&column, {}, column.title.size(), 0, 0};
  filled.cells.reserve(snapshot.rows.size());
  for (const model::Row& row : snapshot.rows) {
    filled.cells.push_back(cell_text(column, snapshot, row));
    filled.natural = std::max(filled.natural, base::display_width(filled.cells.back()));
  }
  filled.width = filled.natural;
  filled.least = column.min_width == 0 ? filled.natural : std::min(filled.natural, column.min_width);
  return filled;
}

// Width of a line: the marks, and each column behind one space.
std::size_t line_width(const std::vector<Filled>& table, std::size_t Filled::*width) {
  std::size_t total = kMarkColumns;
  for (const Filled& filled : table) total += 1 + filled.*width;
  return total;
}

void drop_columns(std::vector<Filled>& table, std::size_t width) {
  while (line_width(table, &Filled::least) > width) {
    // The last of the highest: max_element keeps the first, so search from the right.
    const auto victim = std::max_element(table.rbegin(), table.rend(), [](const Filled& a, const Filled& b) {
      return a.column->priority < b.column->priority;
    });
    if (victim == table.rend() || victim->column->priority == 0) return;
    table.erase(std::next(victim).base());
  }
}

// Takes columns from the widest text first, so that no text starves beside another.
void shrink_columns(std::vector<Filled>& table, std::size_t width) {
  while (line_width(table, &Filled::width) > width) {
    Filled* widest = nullptr;
    for (Filled& filled : table) {
      if (filled.width > filled.least && (widest == nullptr || filled.width > widest->width)) widest = &filled;
    }
    if (widest == nullptr) return;
    --widest->width;
  }
}

std::string marks(const model::Row& row) {
  std::string text = row.counts.overflow() != 0 ? "! " : "  ";
  if (row.process && row.process->exited) text[1] = 'x';
  if (row.attribution == model::Attribution::kCgroup) text[1] = '~';
  return text;
}

// Trailing blanks go: the last column is often text. `width` cuts what even the columns that stay do not fit in.
std::string finish(std::string line, std::size_t width) {
  line.erase(line.find_last_not_of(' ') + 1);
  return width == 0 ? line : base::fit(line, width);
}

std::string title_line(const std::vector<Filled>& table) {
  std::string line(kMarkColumns, ' ');
  for (const Filled& filled : table) {
    line += ' ' + base::pad(filled.column->title, filled.width, filled.column->align);
  }
  return line;
}

std::string row_line(const std::vector<Filled>& table, const model::Row& row, std::size_t index) {
  std::string line = marks(row);
  for (const Filled& filled : table) {
    line += ' ' + base::pad(filled.cells[index], filled.width, filled.column->align);
  }
  return line;
}

}  // namespace

std::string snapshot_table(const model::Snapshot& snapshot, const TableOptions& options) {
  std::vector<Filled> table;
  for (const Column& column : columns(snapshot.group, options.wide)) table.push_back(fill_column(column, snapshot));
  if (options.width != 0) {
    drop_columns(table, options.width);
    shrink_columns(table, options.width);
  }

  std::string out = summary(snapshot, options.width, options.color);
  out += finish(title_line(table), options.width) + '\n';
  for (std::size_t i = 0; i < snapshot.rows.size(); ++i) {
    const model::Row& row = snapshot.rows[i];
    const std::string line = finish(row_line(table, row, i), options.width);
    out += (row.counts.overflow() != 0 ? alarm(line, options.color) : line) + '\n';
  }
  if (snapshot.rows_hidden != 0) {
    out += finish(fmt::format("   +{} more rows", base::grouped(snapshot.rows_hidden)), options.width) + '\n';
  }
  return out;
}

}  // namespace twtrace::output
