// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/format.hpp"
#include "phrases/event.hpp"
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

constexpr std::array<EventColumn, 8> kColumns = {{
    {"TIME", 0, 10, [](const Event& e) { return base::iso8601_ms(e.time_unix_ms).substr(11, 12); }},
    {"EVENT", 0, 0, [](const Event& e) { return std::string(model::to_string(e.kind)); }},
    {"STAGE", 0, 50, [](const Event& e) { return std::string(model::to_string(e.substate)); }},
    {"OWNER", 30, 0, phrases::owner_words},
    {"ROLE:PORT", 0, 40, phrases::role_words},
    {"CONNECTION", 24, 60, phrases::connection_words},
    {"NETNS", 0, 80, phrases::netns_words},
    {"REMOVED BY", 0, 45, [](const Event& e) { return phrases::removal_words(e); }},
}};

}  // namespace

void draw_events(Frame& frame, const TableArea& where, const Picture& picture) {
  const std::size_t titles = where.titles ? 1 : 0;
  const std::size_t room = where.area.rows - std::min(where.area.rows, titles);
  const std::size_t first = std::min(where.first, picture.events.size());
  const std::size_t count = std::min(room, picture.events.size() - first);
  std::vector<FittedColumn> table;
  for (const EventColumn& column : kColumns) {
    FittedColumn filled;
    filled.title = column.title;
    filled.min_width = column.min_width;
    filled.priority = column.priority;
    for (std::size_t i = 0; i < count; ++i) filled.cells.push_back(column.text(*picture.events[first + i]));
    table.push_back(std::move(filled));
  }
  view::fit(table, frame.size().columns, kMargin);
  if (titles != 0) write_titles(frame, where.area.first, kMargin, table, std::nullopt);
  for (std::size_t i = 0; i < count; ++i) {
    const bool refused = picture.events[first + i]->is_alarming();
    const bool selected = first + i == where.selected;
    const Style style =
        selected ? (refused ? Style::kSelectedAlarm : Style::kSelected) : (refused ? Style::kAlarm : Style::kNormal);
    const std::size_t line = where.area.first + titles + i;
    if (selected) frame.paint(line, 0, style);
    frame.write(line, 0, refused ? "!" : " ", style);
    write_cells(frame, line, kMargin, table, i, style);
  }
}

}  // namespace twtrace::tui
