// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/format.hpp"
#include "phrases/event.hpp"
#include "phrases/log_line.hpp"
#include "tui/parts.hpp"

namespace twtrace::tui {
namespace {

using model::Event;
using view::FittedColumn;

constexpr std::size_t kMargin = 1;

struct EventColumn {
  std::string_view title;
  std::size_t min_width;
  int priority;
  std::string (*text)(const Event&);
};

/// The columns that a line of a log has, too. Its text takes the place of the others.
constexpr std::size_t kColumnsOfLines = 2;

std::string time_text(std::int64_t unix_ms) { return base::iso8601_ms(unix_ms).substr(11, 12); }

constexpr std::array<EventColumn, 8> kColumns = {{
    {"TIME", 0, 10, [](const Event& e) { return time_text(e.time_unix_ms); }},
    {"EVENT", 0, 0, [](const Event& e) { return std::string(model::to_string(e.kind)); }},
    {"STAGE", 0, 50, phrases::stage_words},
    {"OWNER", 30, 0, phrases::owner_words},
    {"ROLE:PORT", 0, 40, phrases::role_words},
    {"CONNECTION", 24, 60, phrases::connection_words},
    {"NETNS", 0, 80, phrases::netns_words},
    {"DETAIL", 0, 45, phrases::detail_words},
}};

std::string cell_text(const ListedEvent& listed, std::size_t column) {
  if (listed.event != nullptr) return kColumns.at(column).text(*listed.event);
  return column == 0 ? time_text(listed.time_unix_ms()) : column == 1 ? "log" : "";
}

Style style_of(const ListedEvent& listed, bool selected) {
  if (listed.event == nullptr) return selected ? Style::kSelected : Style::kWarning;
  const bool alarming = listed.event->is_alarming();
  return selected ? (alarming ? Style::kSelectedAlarm : Style::kSelected) : (alarming ? Style::kAlarm : Style::kNormal);
}

/// Writes the text of a line of a log behind the columns that it has, over the empty cells of the others.
void write_line_text(Frame& frame, std::size_t row, const std::vector<FittedColumn>& table, const ListedEvent& listed,
                     Style style) {
  std::size_t column = kMargin + 1;
  for (const FittedColumn& filled : table) {
    const auto* const end = kColumns.begin() + kColumnsOfLines;
    const auto* const known = std::find_if(
        kColumns.begin(), end, [&](const EventColumn& each) { return each.title.data() == filled.title.data(); });
    if (known != end) column += filled.width + 1;
  }
  if (column >= frame.size().columns) return;
  frame.write(row, column, base::fit(phrases::line_words(*listed.log, *listed.line), frame.size().columns - column),
              style);
}

}  // namespace

void draw_events(Frame& frame, const TableArea& where, const Picture& picture) {
  const std::size_t titles = where.titles ? 1 : 0;
  const std::size_t room = where.area.rows - std::min(where.area.rows, titles);
  const std::size_t first = std::min(where.first, picture.events.size());
  const std::size_t count = std::min(room, picture.events.size() - first);
  std::vector<FittedColumn> table;
  for (std::size_t index = 0; index < kColumns.size(); ++index) {
    const EventColumn& column = kColumns.at(index);
    FittedColumn filled;
    filled.title = column.title;
    filled.min_width = column.min_width;
    filled.priority = column.priority;
    for (std::size_t i = 0; i < count; ++i) filled.cells.push_back(cell_text(picture.events[first + i], index));
    table.push_back(std::move(filled));
  }
  view::fit(table, frame.size().columns, kMargin);
  if (titles != 0) write_titles(frame, where.area.first, kMargin, table, std::nullopt);
  for (std::size_t i = 0; i < count; ++i) {
    const ListedEvent& listed = picture.events[first + i];
    const bool selected = first + i == where.selected;
    const Style style = style_of(listed, selected);
    const std::size_t line = where.area.first + titles + i;
    if (selected) frame.paint(line, 0, style);
    frame.write(line, 0, listed.event != nullptr && listed.event->is_alarming() ? "!" : " ", style);
    write_cells(frame, line, kMargin, table, i, style);
    if (listed.event == nullptr) write_line_text(frame, line, table, listed, style);
  }
}

}  // namespace twtrace::tui
