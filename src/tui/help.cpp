// SPDX-License-Identifier: Apache-2.0
// Help, the sort menu and the hint line.
#include <fmt/format.h>

#include <array>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"
#include "view/columns.hpp"

namespace twtrace::tui {
namespace {

constexpr std::size_t kKeyColumns = 14;

/// The meaning of the signs in front of a row.
constexpr std::array<HelpLine, 6> kSigns = {{
    {"!", "buckets of this row were refused: table full, or no memory"},
    {"x", "every process of the row has exited"},
    {"~", "only cgroup and uid are known: nobody was seen closing"},
    {"-", "unknown to this backend, or not measured yet; never 0"},
    {"= kernel", "twtrace's counts equal the kernel's own"},
    {"missed N", "counted by the kernel, but seen by no BPF program"},
}};

std::vector<HelpLine> all_help() {
  std::vector<HelpLine> lines = help_lines();
  lines.insert(lines.end(), kSigns.begin(), kSigns.end());
  return lines;
}

void write_keys(Frame& frame, std::size_t row, const std::vector<HelpLine>& keys) {
  std::size_t column = 0;
  for (const HelpLine& key : keys) {
    if (column + key.keys.size() + 1 + key.text.size() > frame.size().columns) return;
    column = frame.write(row, column, key.keys, Style::kKey);
    column = frame.write(row, column + 1, key.text) + 2;
  }
}

std::string paused_words(const Picture& picture) {
  return fmt::format("PAUSED {} ago, sample {} of {}", base::duration(picture.behind_s),
                     picture.sample - picture.oldest + 1, picture.newest - picture.oldest + 1);
}

/// Only the time of day. The date is in the file's name or in the report.
std::string replay_words(const Picture& picture, const ViewState& state) {
  return fmt::format("{} {}Z {}/{}", state.playing ? "PLAYING" : "REPLAY",
                     base::iso8601_ms(picture.snapshot.time_unix_ms).substr(11, 8), picture.sample - picture.oldest + 1,
                     picture.newest - picture.oldest + 1);
}

}  // namespace

void write_line(Frame& frame, std::size_t row, const StyledLine& line) {
  std::size_t column = 0;
  for (const Span& span : line) {
    const std::size_t width = base::display_width(span.text);
    if (column != 0 && column + 2 + width > frame.size().columns) continue;
    if (column != 0) column += 2;
    column = frame.write(row, column, base::fit(span.text, frame.size().columns - column), span.style);
  }
}

std::size_t help_height() { return all_help().size(); }

void draw_help(Frame& frame, Area area, const ViewState& state) {
  const std::vector<HelpLine> lines = all_help();
  for (std::size_t i = 0; i < area.rows && state.scroll + i < lines.size(); ++i) {
    const HelpLine& line = lines[state.scroll + i];
    frame.write(area.first + i, 1, line.keys, Style::kKey);
    frame.write(area.first + i, kKeyColumns, line.text);
  }
}

std::size_t first_of_menu(const ViewState& state, Area area) {
  return state.menu >= area.rows ? state.menu - area.rows + 1 : 0;
}

void draw_sort_menu(Frame& frame, Area area, const ViewState& state) {
  const auto& names = view::sort_names();
  const std::size_t first = first_of_menu(state, area);
  for (std::size_t i = 0; i < area.rows && first + i < names.size(); ++i) {
    const bool selected = first + i == state.menu;
    const Style style = selected ? Style::kSelected : Style::kNormal;
    if (selected) frame.paint(area.first + i, 0, style);
    frame.write(area.first + i, 1, fmt::format("{:<12} {}", names[first + i].name, names[first + i].help), style);
  }
}

void draw_column_menu(Frame& frame, Area area, const Picture& picture, const ViewState& state) {
  const view::LiveColumns& columns = view::live_columns(group_of(state));
  const std::size_t first = first_of_menu(state, area);
  for (std::size_t i = first; i < first + area.rows && i < columns.all.size(); ++i) {
    const view::Column& column = columns.all[i];
    const Style style = i == state.menu ? Style::kSelected : Style::kNormal;
    if (i == state.menu) frame.paint(area.first + i - first, 0, style);
    frame.write(area.first + i - first, 1,
                fmt::format("[{}] {:<12} {}", is_chosen(columns, i, picture, state.current()) ? 'x' : ' ', column.title,
                            column.help),
                style);
  }
}

void draw_hint(Frame& frame, std::size_t row, const Picture& picture, const ViewState& state) {
  if (state.mode == Mode::kFilter) {
    const std::size_t end = frame.write(row, 0, "Filter: " + state.filter, Style::kBold);
    frame.write(row, end, "_  (Enter keeps it, Esc restores)");
  } else if (state.mode == Mode::kDelay) {
    const std::size_t end = frame.write(row, 0, "Seconds between samples: " + state.typed, Style::kBold);
    frame.write(row, end, "_  (Enter, Esc)");
  } else if (!state.notice.empty()) {
    frame.write(row, 0, base::fit(base::sanitize_terminal(state.notice), frame.size().columns), Style::kBold);
  } else if (state.mode == Mode::kHelp) {
    write_keys(frame, row, {{"Up Down", "scroll"}, {"q", "quit"}, {"any other key", "back"}});
  } else if (state.mode == Mode::kSortMenu) {
    write_keys(frame, row, {{"Enter", "sort by this"}, {"Esc", "back"}});
  } else if (state.mode == Mode::kColumnMenu) {
    write_keys(frame, row, {{"Space Enter", "show or hide"}, {"Esc", "back"}});
  } else if (state.replay) {
    const std::size_t end = frame.write(row, 0, replay_words(picture, state), Style::kWarning);
    frame.write(row, end, state.playing ? "  Space stops" : "  t T sample  K J minute  B E ends  Space plays");
  } else if (state.paused_at) {
    const std::size_t end = frame.write(row, 0, paused_words(picture), Style::kWarning);
    frame.write(row, end, "  t earlier  T later  Space goes on");
  } else if (state.mode == Mode::kDetail) {
    write_keys(frame, row, {{"Esc", "back"}, {"Up Down", "scroll"}, {"Space", "pause"}, {"F1", "help"}, {"q", "quit"}});
  } else {
    write_keys(frame, row,
               {{"F1", "help"},
                {"/", "filter"},
                {"F6", "sort"},
                {"Enter", "details"},
                {"Space", "pause"},
                {"Tab", "next view"},
                {"q", "quit"}});
  }
}

}  // namespace twtrace::tui
