// SPDX-License-Identifier: Apache-2.0
// The details of one row: what it is, its findings, its last minutes, and its parts.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"
#include "tui/sparkline.hpp"

namespace twtrace::tui {
namespace {

using model::Group;
using model::Row;

/// A part of the details. `draw` gets the lines of it that fit, and where they go.
struct Section {
  std::size_t height = 0;
  std::function<void(Frame&, Area area, std::size_t first)> draw;
};

std::string who(const Row& row) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : "  ") + base::sanitize_terminal(part);
  };
  add(std::string(view::row_label(row.kind)));
  if (row.process) add(row.process->comm);
  if (row.service) add(row.shown_service().empty() ? "(no service)" : row.shown_service());
  if (row.role) add(fmt::format("{} port {}", model::to_string(*row.role), view::shown_port(row.role, row.port)));
  if (row.peer) add("peer " + row.peer->address + (row.peer->port ? fmt::format(" port {}", *row.peer->port) : ""));
  add("netns " + (row.netns_name.empty() ? fmt::format("{}", row.netns.value_or(0)) : row.netns_name));
  return text;
}

std::string numbers(const Row& row) {
  return fmt::format("created {} ({}/s)  overflow {} ({}/s)  live {}  TIME_WAIT {}  FIN_WAIT2 {}",
                     fmt::group_digits(row.counts.created()), base::rate(row.created_per_s),
                     fmt::group_digits(row.counts.overflow()), base::rate(row.overflow_per_s),
                     row.live ? base::grouped(*row.live) : "-", fmt::group_digits(row.counts.time_wait),
                     fmt::group_digits(row.counts.fin_wait2));
}

/// Who was hurt; empty if nobody was.
std::string harm(const Row& row) {
  std::string text;
  if (row.counts.no_port != 0) text += fmt::format("no local port {} times  ", fmt::group_digits(row.counts.no_port));
  if (row.counts.no_port_bind != 0) {
    text += fmt::format("of these for bind() {}  ", fmt::group_digits(row.counts.no_port_bind));
  }
  if (row.counts.queue_drops != 0) {
    text += fmt::format("its queue dropped {}  ", fmt::group_digits(row.counts.queue_drops));
  }
  if (row.counts.resets_received != 0) {
    text += fmt::format("resets received {}, felt {}  ", fmt::group_digits(row.counts.resets_received),
                        fmt::group_digits(row.counts.resets_felt));
  }
  if (row.counts.peer_resets != 0) {
    text += fmt::format("resets to peers {}, avoidable {}  ", fmt::group_digits(row.counts.peer_resets),
                        fmt::group_digits(row.counts.peer_resets_avoidable));
  }
  if (row.counts.resets_aborted != 0) text += fmt::format("aborted {}  ", fmt::group_digits(row.counts.resets_aborted));
  return text;
}

std::string history(const Detail& detail, const model::Snapshot& snapshot) {
  std::string text;
  if (detail.timeline.first_seen_unix_ms != 0) {
    const double age_s = static_cast<double>(snapshot.time_unix_ms - detail.timeline.first_seen_unix_ms) / 1000;
    text = fmt::format("first seen {}Z, {} ago", base::iso8601_ms(detail.timeline.first_seen_unix_ms).substr(0, 19),
                       base::duration(std::max(0.0, age_s)));
  }
  const Row& row = detail.row;
  if (row.process) {
    text +=
        fmt::format("{}{} process{}{}", text.empty() ? "" : "  ", row.process->pids, row.process->pids == 1 ? "" : "es",
                    !row.process->exited     ? ""
                    : row.process->pids == 1 ? ", exited"
                                             : ", all exited");
    if (row.process->uid) text += fmt::format("  uid {}", *row.process->uid);
  }
  if (row.service && !row.service->cgroup.empty()) text += "  cgroup " + base::sanitize_terminal(row.service->cgroup);
  return text;
}

Section text_section(std::vector<Span> lines) {
  const std::size_t height = lines.size();
  return {height, [lines = std::move(lines)](Frame& frame, Area area, std::size_t first) {
            for (std::size_t i = 0; i < area.rows; ++i) {
              frame.write(area.first + i, 0, base::fit(lines[first + i].text, frame.size().columns),
                          lines[first + i].style);
            }
          }};
}

std::vector<Span> findings(const Detail& detail) {
  std::vector<Span> lines;
  if (!detail.findings.empty()) lines.push_back({"Findings so far", Style::kBold});
  for (const phrases::RowFinding& finding : detail.findings) {
    lines.push_back(
        {(finding.alarming ? " ! " : " - ") + finding.text, finding.alarming ? Style::kAlarm : Style::kNormal});
    if (!finding.remedy.empty()) lines.push_back({"   " + finding.remedy});
  }
  return lines;
}

/// Created above refused, per sample.
Section timeline_section(const Picture& picture) {
  const auto draw = [&picture](Frame& frame, Area area, std::size_t first) {
    const auto& points = picture.detail->timeline.points;
    std::vector<double> created;
    std::vector<double> refused;
    for (const auto& point : points) {
      created.push_back(static_cast<double>(point.created));
      refused.push_back(static_cast<double>(point.refused));
    }
    constexpr std::size_t kLabel = 10;
    const std::size_t room = frame.size().columns > kLabel ? frame.size().columns - kLabel : 0;
    for (std::size_t i = 0; i < area.rows; ++i) {
      const std::size_t row = area.first + i;
      if (first + i == 0) {
        frame.write(row, 0, fmt::format("Timeline, {} samples", points.size()), Style::kBold);
      } else if (first + i == 1) {
        frame.write(row, 0, " created  ");
        frame.write(row, kLabel, sparkline(created, room, 0, frame.charset()), Style::kBar);
      } else {
        frame.write(row, 0, "!refused  ", Style::kAlarm);
        frame.write(row, kLabel, sparkline(refused, room, 0, frame.charset()), Style::kAlarm);
      }
    }
  };
  const auto& points = picture.detail->timeline.points;
  const bool any_refused =
      std::any_of(points.begin(), points.end(), [](const auto& point) { return point.refused != 0; });
  return {any_refused ? 3U : 2U, draw};
}

Section rows_section(const char* name, const std::vector<Row>& rows, Group group, const Picture& picture,
                     const ViewState& state, const DrawOptions& options) {
  if (rows.empty()) return {};
  const auto draw = [=, &rows, &picture, &state, &options](Frame& frame, Area area, std::size_t first) {
    if (first == 0) {
      frame.write(area.first, 0, fmt::format("{} ({})", name, rows.size()), Style::kBold);
      ++first;
      ++area.first;
      if (--area.rows == 0) return;
    }
    const std::size_t skipped = std::min(rows.size(), first <= 2 ? 0 : first - 2);
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(skipped);
    const auto shown = static_cast<std::ptrdiff_t>(std::min(rows.size() - skipped, area.rows));
    const TableArea where{area, first == 1, skipped, SIZE_MAX};
    draw_rows(frame, where,
              fit_rows(where, {begin, begin + shown}, group, {}, picture, state, options, frame.size().columns), {});
  };
  return {rows.size() + 2, draw};
}

std::vector<Section> sections(const Picture& picture, const ViewState& state, const DrawOptions& options) {
  if (!picture.detail) return {text_section({{"this row did not exist in this sample", Style::kWarning}})};
  const Detail& detail = *picture.detail;
  const Style style = detail.row.counts.refused() != 0 ? Style::kAlarm : Style::kNormal;
  std::vector<Section> all;
  all.push_back(text_section({{who(detail.row), Style::kBold},
                              {view::row_marks(detail.row) + numbers(detail.row), style},
                              {history(detail, picture.snapshot), Style::kNormal}}));
  if (const std::string hurt = harm(detail.row); !hurt.empty()) {
    all.push_back(text_section({{"! " + hurt, Style::kAlarm}}));
  }
  all.push_back(text_section(findings(detail)));
  all.push_back(timeline_section(picture));
  all.push_back(rows_section("Ports", detail.ports, Group::kPort, picture, state, options));
  all.push_back(rows_section("Peers", detail.peers, Group::kPeer, picture, state, options));
  all.push_back(rows_section("Processes", detail.pids, Group::kPid, picture, state, options));
  return all;
}

}  // namespace

std::size_t detail_height(const Picture& picture) {
  std::size_t height = 0;
  for (const Section& section : sections(picture, {}, {})) height += section.height;
  return height;
}

void draw_detail(Frame& frame, Area area, const Picture& picture, const ViewState& state, const DrawOptions& options) {
  std::size_t skip = state.scroll;
  for (const Section& section : sections(picture, state, options)) {
    if (skip >= section.height) {
      skip -= section.height;
      continue;
    }
    const std::size_t rows = std::min(area.rows, section.height - skip);
    if (rows == 0) return;
    section.draw(frame, {area.first, rows}, skip);
    area.first += rows;
    area.rows -= rows;
    skip = 0;
  }
}

}  // namespace twtrace::tui
