// SPDX-License-Identifier: Apache-2.0
#include "output/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "model/fill.hpp"
#include "phrases/log_line.hpp"
#include "phrases/losses.hpp"
#include "phrases/namespace.hpp"
#include "phrases/trouble.hpp"

namespace twtrace::output {
namespace {

constexpr std::size_t kNamespaceLines = 3;
constexpr std::size_t kTroubleLines = 5;
constexpr std::size_t kLogLines = 5;
constexpr std::size_t kNameColumns = 24;  // a name may be 15 bytes of escapes or a path, and must not fill the line

struct Piece {
  std::string text;
  bool alarming = false;
};

// Pieces separated by two spaces. A piece that does not fit goes to a new, indented line; one that fits into no line
// goes to several.
std::string flow(const std::vector<Piece>& pieces, std::size_t width, Color color) {
  std::string out;
  std::size_t used = 0;
  const std::size_t room = std::max<std::size_t>(width, 3) - 2;
  const auto add = [&](const std::string& text, bool alarming) {
    const std::size_t columns = base::display_width(text);
    if (used != 0 && width != 0 && used + 2 + columns > width) {
      out += "\n  ";
      used = 2;
    } else if (used != 0) {
      out += "  ";
      used += 2;
    }
    out += alarming ? alarm(text, color) : text;
    used += columns;
  };
  for (const Piece& piece : pieces) {
    if (width == 0 || base::display_width(piece.text) <= room) {
      add(piece.text, piece.alarming);
    } else {
      for (const std::string& part : base::broken(piece.text, room)) add(part, piece.alarming);
    }
  }
  return out += '\n';
}

std::string name_text(const std::string& bytes, std::size_t width) {
  const std::string safe = base::sanitize_terminal(bytes);
  return width == 0 ? safe : base::fit(safe, kNameColumns);
}

std::string moment(std::int64_t unix_ms) { return base::iso8601_ms(unix_ms).substr(0, 19) + "Z"; }

std::vector<Piece> snapshot_pieces(const model::Snapshot& snapshot, std::size_t width) {
  std::vector<Piece> pieces{{moment(snapshot.time_unix_ms)}};
  if (!snapshot.host.name.empty()) pieces.push_back({name_text(snapshot.host.name, width)});
  pieces.push_back({name_text(snapshot.probe.backend, width)});
  pieces.push_back({"interval " + base::duration(snapshot.interval_s)});
  if (snapshot.live_age_s.value_or(0) > 0) {
    pieces.push_back({"live counted " + base::duration(*snapshot.live_age_s) + " ago"});
  }
  return pieces;
}

void append(std::vector<Piece>& pieces, const std::vector<phrases::Remark>& remarks) {
  for (const phrases::Remark& remark : remarks) pieces.push_back({remark.text, remark.tone == phrases::Tone::kAlarm});
}

std::vector<Piece> netns_pieces(const model::NetnsRow& row, std::size_t width) {
  std::string fill = "TIME_WAIT " + phrases::fill_words(row);
  if (const auto percent = model::percent_full(row.in_use, row.limit)) fill += fmt::format(" ({}%)", *percent);
  const std::string name = row.name.empty() ? fmt::format("{}", row.netns) : name_text(row.name, width);
  std::vector<Piece> pieces{{std::move(fill)}};
  if (phrases::Remark forecast = phrases::forecast_remark(row.forecast); !row.gone && !forecast.text.empty()) {
    append(pieces, {std::move(forecast)});
  }
  pieces.push_back({"netns " + name + (row.gone ? " (gone)" : "")});
  append(pieces, phrases::traffic_remarks(row));
  return pieces;
}

// The namespaces from `first` on, in one line.
std::vector<Piece> remainder_pieces(const std::vector<model::NetnsRow>& rows, std::size_t first) {
  std::vector<Piece> pieces{{phrases::remainder_words(rows, first)}};
  append(pieces, phrases::remainder_remarks(rows, first));
  return pieces;
}

std::string trouble_lines(const model::Snapshot& snapshot, std::size_t width, Color color,
                          const std::string& no_netns) {
  if (!no_netns.empty()) return flow({{no_netns}}, width, color);
  if (snapshot.troubles.empty()) return flow({{phrases::calm_remark(snapshot).text}}, width, color);
  std::string out;
  const std::size_t shown = std::min(snapshot.troubles.size(), kTroubleLines);
  for (std::size_t i = 0; i < shown; ++i) {
    std::vector<Piece> pieces;
    append(pieces,
           phrases::trouble_remarks_within(width == 0 ? 0 : std::max<std::size_t>(width, 3) - 2, snapshot.troubles[i]));
    pieces.front().text.insert(0, "! ");
    out += flow(pieces, width, color);
  }
  if (shown < snapshot.troubles.size()) out += phrases::more_troubles_words(snapshot.troubles.size() - shown) + '\n';
  return out;
}

std::vector<Piece> loss_pieces(const model::Losses& lost) {
  std::vector<Piece> pieces;
  for (const phrases::Loss& loss : phrases::losses(lost)) {
    if (loss.count.value_or(0) != 0)
      pieces.push_back({fmt::format("{} {}", loss.name, fmt::group_digits(*loss.count))});
  }
  if (!pieces.empty()) pieces.front().text.insert(0, "lost: ");
  return pieces;
}

// Lines of application logs: the first ones, then how many more there are.
std::string log_lines(const model::Snapshot& snapshot, std::size_t width) {
  if (!snapshot.logs || !snapshot.log_lines) return {};
  std::string out;
  std::uint64_t more = 0;
  std::size_t shown = 0;
  for (const model::LogLine& line : *snapshot.log_lines) {
    if (!line.text || shown == kLogLines) {
      more += line.lines;
      continue;
    }
    ++shown;
    const std::string words = fmt::format("log {} {}", base::iso8601_ms(line.time_unix_ms).substr(11, 12),
                                          phrases::line_words(snapshot.logs->at(line.log), line));
    out += (width == 0 ? words : base::fit(words, width)) + '\n';
  }
  if (more != 0) {
    const std::string words = fmt::format("log +{} more {}", fmt::group_digits(more), more == 1 ? "line" : "lines");
    out += (width == 0 ? words : base::fit(words, width)) + '\n';
  }
  return out;
}

}  // namespace

std::string summary(const model::Snapshot& snapshot, std::size_t width, Color color, const std::string& no_netns) {
  std::string out = flow(snapshot_pieces(snapshot, width), width, color);
  out += trouble_lines(snapshot, width, color, no_netns);
  const std::size_t shown = std::min(snapshot.namespaces.size(), kNamespaceLines);
  for (std::size_t i = 0; i < shown; ++i) out += flow(netns_pieces(snapshot.namespaces[i], width), width, color);
  if (shown < snapshot.namespaces.size()) out += flow(remainder_pieces(snapshot.namespaces, shown), width, color);
  out += log_lines(snapshot, width);
  if (const std::vector<Piece> losses = loss_pieces(snapshot.lost); !losses.empty()) out += flow(losses, width, color);
  return out;
}

std::string trouble_summary(const model::Snapshot& snapshot) {
  if (snapshot.troubles.empty()) return phrases::calm_remark(snapshot).text;
  std::string out;
  const auto add = [&](const std::string& words) { out += (out.empty() ? "" : ", ") + words; };
  for (const phrases::Remark& remark : phrases::trouble_remarks(snapshot.troubles.front())) add(remark.text);
  if (snapshot.troubles.size() > 1) add(phrases::more_troubles_words(snapshot.troubles.size() - 1));
  return out;
}

}  // namespace twtrace::output
