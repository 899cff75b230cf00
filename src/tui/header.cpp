// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "model/fill.hpp"
#include "phrases/advice.hpp"
#include "phrases/losses.hpp"
#include "phrases/namespace.hpp"
#include "phrases/trouble.hpp"
#include "tui/parts.hpp"
#include "tui/sparkline.hpp"

namespace twtrace::tui {
namespace {

using model::NetnsRow;

constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kShortestBar = 8;
/// The screen height from which on a header line may appear.
constexpr std::size_t kRowsForRates = 6;
constexpr std::size_t kRowsForTrouble = 4;
constexpr std::size_t kRowsForCalm = 12;
constexpr std::size_t kRowsForTroubles = 16;
constexpr std::size_t kTroublesShown = 3;
constexpr std::size_t kMark = 2;    // columns of the "! " of a trouble
constexpr std::size_t kIndent = 3;  // of its second line
constexpr std::size_t kRowsForLosses = 8;
constexpr std::size_t kRowsForTrend = 10;
constexpr std::size_t kRowsForOthers = 16;
constexpr std::size_t kOthersShown = 2;

Span span(const phrases::Remark& remark) {
  switch (remark.tone) {
    case phrases::Tone::kPlain:
      return {remark.text};
    case phrases::Tone::kQuiet:
      return {remark.text, Style::kDim};
    case phrases::Tone::kGood:
      return {remark.text, Style::kGood};
    case phrases::Tone::kWarning:
      return {remark.text, Style::kWarning};
    case phrases::Tone::kAlarm:
      return {remark.text, Style::kAlarm};
  }
  return {};
}

void append(StyledLine& line, const std::vector<phrases::Remark>& remarks) {
  for (const phrases::Remark& remark : remarks) line.push_back(span(remark));
}

std::string shortened(const std::string& name) { return base::fit(base::sanitize_terminal(name), kNameColumns); }

std::string name_of(const NetnsRow& netns) {
  const std::string name = netns.name.empty() ? fmt::format("{}", netns.netns) : shortened(netns.name);
  return name + (netns.gone ? " (gone)" : "");
}

/// "[|||||    ]" in a given number of columns.
std::string bar(std::uint64_t percent, std::size_t columns) {
  const std::size_t room = columns - 2;
  const std::size_t taken = std::min<std::size_t>(room, (percent * room + 99) / 100);
  return '[' + std::string(taken, '|') + std::string(room - taken, ' ') + ']';
}

/// How full the table is. This line is always there.
StyledLine fill_line(const Picture& picture, std::size_t columns) {
  const model::Snapshot& snapshot = picture.snapshot;
  if (snapshot.namespaces.empty()) return {{"TIME_WAIT -/-", Style::kBold}};
  const NetnsRow& netns = snapshot.namespaces.front();
  const auto share = model::percent_full(netns.in_use, netns.limit);
  const bool nearly_full = model::is_nearly_full(netns.in_use, netns.limit);
  const Style style = share >= std::uint64_t{100} ? Style::kAlarm : nearly_full ? Style::kWarning : Style::kBar;
  StyledLine line{{"TIME_WAIT " + phrases::fill_words(netns), Style::kBold}};
  if (share) line.push_back({fmt::format("{}%", *share), style == Style::kBar ? Style::kBold : style});
  const Span forecast = span(phrases::forecast_remark(picture.forecast));
  const std::string where = "netns " + name_of(netns);
  std::size_t taken = 0;
  for (const Span& span : line) taken += span.text.size() + 2;
  const std::size_t behind = base::display_width(where) + 2 + (forecast.text.empty() ? 0 : forecast.text.size() + 2);
  if (share && columns >= taken + behind + kShortestBar) {
    line.push_back({bar(*share, columns - taken - behind), style});
  }
  if (!forecast.text.empty()) line.push_back(forecast);
  line.push_back({where});
  return line;
}

/// How many lines of logs the interval has. They are in the events view.
std::string log_lines_words(const model::Snapshot& snapshot) {
  std::uint64_t lines = 0;
  if (snapshot.log_lines) {
    for (const model::LogLine& line : *snapshot.log_lines) lines += line.lines;
  }
  return lines == 0 ? "" : fmt::format("log lines {} (6 shows them)", fmt::group_digits(lines));
}

/// The rates of the fullest namespace.
StyledLine rates_line(const Picture& picture) {
  if (picture.snapshot.namespaces.empty()) return {{"no network namespace can be seen"}};
  const NetnsRow& netns = picture.snapshot.namespaces.front();
  StyledLine line;
  append(line, phrases::traffic_remarks(netns));
  if (!picture.trend.empty() && picture.trend.back().removed && picture.trend.back().length_s > 0) {
    const double removed_per_s = *picture.trend.back().removed / picture.trend.back().length_s;
    line.insert(line.begin() + 1, {"removed " + base::rate(removed_per_s) + "/s"});
  }
  if (const std::string lines = log_lines_words(picture.snapshot); !lines.empty()) {
    line.push_back({lines, Style::kWarning});
  }
  line.push_back({fmt::format("created total {}", fmt::group_digits(netns.counts.created()))});
  return line;
}

bool has_room_for_lines(Size size) { return size.rows >= kRowsForTroubles; }

/// Each fits into a line, where there is room for more than one.
std::vector<phrases::Remark> trouble_parts(const model::Trouble& trouble, Size size) {
  const std::size_t taken = has_room_for_lines(size) ? kIndent : kMark;
  const std::size_t room = std::max(size.columns, taken + 1) - taken;
  std::vector<phrases::Remark> parts;
  for (phrases::Remark& remark : phrases::trouble_remarks_within(room, trouble)) {
    if (!has_room_for_lines(size)) {
      parts.push_back(std::move(remark));
      continue;
    }
    for (std::string& text : base::broken(remark.text, room)) parts.push_back({std::move(text), remark.tone});
  }
  return parts;
}

/// What goes wrong, the worst first; or that nothing does. What does not fit into a line goes on in the next.
std::vector<StyledLine> trouble_lines(const Picture& picture, Size size) {
  const model::Snapshot& snapshot = picture.snapshot;
  if (size.rows < kRowsForTrouble) return {};
  if (!picture.no_netns.empty()) return {{{picture.no_netns, Style::kWarning}}};
  if (snapshot.troubles.empty()) {
    if (size.rows < kRowsForCalm || snapshot.namespaces.empty()) return {};
    return {{span(phrases::calm_remark(snapshot))}};
  }
  const std::size_t most = has_room_for_lines(size) ? kTroublesShown : 1;
  std::vector<StyledLine> lines;
  for (std::size_t i = 0; i < std::min(most, snapshot.troubles.size()); ++i) {
    lines.emplace_back();
    std::size_t used = 0;
    for (phrases::Remark& remark : trouble_parts(snapshot.troubles[i], size)) {
      remark.text.insert(0, used == 0 ? "! " : "");
      const std::size_t columns = base::display_width(remark.text);
      if (used != 0 && used + 2 + columns > size.columns && has_room_for_lines(size)) {
        lines.push_back({{" "}});
        used = 1;
      }
      lines.back().push_back(span(remark));
      used += columns + 2;
    }
  }
  if (snapshot.troubles.size() > most) {
    lines.push_back({{phrases::more_troubles_words(snapshot.troubles.size() - most), Style::kWarning}});
  }
  return lines;
}

/// Without lost events, which have a separate place.
std::string lost_words(model::Losses lost) {
  lost.events = 0;
  return phrases::loss_words(lost, "  ");
}

/// The last minutes, the backend, and its losses.
StyledLine trend_line(const Picture& picture, const ViewState& state, Size size, Charset charset) {
  const model::Snapshot& snapshot = picture.snapshot;
  StyledLine line;
  line.push_back({snapshot.probe.backend.empty() ? "no backend" : snapshot.probe.backend});
  line.push_back({fmt::format("events lost {}", fmt::group_digits(snapshot.lost.events)),
                  snapshot.lost.events == 0 ? Style::kNormal : Style::kWarning});
  line.push_back({fmt::format("up {}", base::duration(snapshot.uptime_s))});
  line.push_back({fmt::format("every {:g}s", state.delay_s)});
  if (snapshot.live_age_s.value_or(0) > snapshot.interval_s) {
    line.push_back({fmt::format("live {} old", base::duration(*snapshot.live_age_s)), Style::kWarning});
  }
  if (!snapshot.host.name.empty()) line.push_back({shortened(snapshot.host.name)});
  if (has_graph(picture, size)) return line;  // that shows the same
  std::vector<double> in_use;
  for (const model::TablePoint& point : picture.trend) in_use.push_back(static_cast<double>(point.in_use));
  const double limit = picture.trend.empty() ? 0 : static_cast<double>(picture.trend.back().limit);
  std::string graph = sparkline(in_use, std::max<std::size_t>(size.columns / 3, 4), limit, charset);
  if (graph.find_first_not_of(' ') != std::string::npos) {
    line.insert(line.begin(), {graph + ' ' + base::duration(picture.trend.front().age_s), Style::kBar});
  }
  return line;
}

StyledLine other_line(const NetnsRow& netns) {
  StyledLine line{{fmt::format("netns {} {}", name_of(netns), phrases::fill_words(netns))}};
  if (const auto share = model::percent_full(netns.in_use, netns.limit)) line.push_back({fmt::format("{}%", *share)});
  append(line, phrases::traffic_remarks(netns));
  return line;
}

/// The sum of all namespaces that have no separate line.
StyledLine remainder_line(const std::vector<NetnsRow>& namespaces, std::size_t first) {
  StyledLine line{{phrases::remainder_words(namespaces, first)}};
  append(line, phrases::remainder_remarks(namespaces, first));
  return line;
}

/// Which header lines there are.
struct Lines {
  bool rates = false;
  bool trend = false;
  bool losses = false;
  std::size_t others = 0;  ///< namespaces with a separate line
  bool remainder = false;
};

Lines lines_of(const Picture& picture, Size size) {
  Lines lines;
  lines.rates = size.rows >= kRowsForRates;
  lines.trend = size.rows >= kRowsForTrend;
  lines.losses = size.rows >= kRowsForLosses && !lost_words(picture.snapshot.lost).empty();
  const std::size_t namespaces = picture.snapshot.namespaces.size();
  if (size.rows >= kRowsForOthers && namespaces > 1) {
    // A line for the last namespace takes no more room than a line for a sum of one.
    lines.others = namespaces - 1 <= kOthersShown + 1 ? namespaces - 1 : kOthersShown;
    lines.remainder = lines.others < namespaces - 1;
  }
  return lines;
}

}  // namespace

std::size_t header_height(const Picture& picture, Size size) {
  const Lines lines = lines_of(picture, size);
  return 1U + (lines.rates ? 1U : 0U) + trouble_lines(picture, size).size() + (lines.trend ? 1U : 0U) +
         (lines.losses ? 1U : 0U) + lines.others + (lines.remainder ? 1U : 0U);
}

std::vector<StyledLine> header_lines(const Picture& picture, const ViewState& state, Size size, Charset charset) {
  const Lines lines = lines_of(picture, size);
  const std::vector<NetnsRow>& namespaces = picture.snapshot.namespaces;
  std::vector<StyledLine> result{fill_line(picture, size.columns)};
  if (lines.rates) result.push_back(rates_line(picture));
  for (StyledLine& line : trouble_lines(picture, size)) result.push_back(std::move(line));
  if (lines.trend) result.push_back(trend_line(picture, state, size, charset));
  for (std::size_t i = 1; i <= lines.others; ++i) result.push_back(other_line(namespaces[i]));
  if (lines.remainder) result.push_back(remainder_line(namespaces, lines.others + 1));
  if (lines.losses) result.push_back({{"lost: " + lost_words(picture.snapshot.lost), Style::kWarning}});
  return result;
}

}  // namespace twtrace::tui
