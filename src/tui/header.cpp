// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"
#include "tui/sparkline.hpp"

namespace twtrace::tui {
namespace {

using model::Forecast;
using model::NetnsRow;

constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kShortestBar = 8;
constexpr double kSoonS = 60;
constexpr std::uint64_t kNearlyFullPercent = 80;
/// Lines of the screen from which on a line of the header may take one.
constexpr std::size_t kRowsForRates = 6;
constexpr std::size_t kRowsForCulprit = 4;
constexpr std::size_t kRowsForLosses = 8;
constexpr std::size_t kRowsForTrend = 10;
constexpr std::size_t kRowsForOthers = 16;
constexpr std::size_t kOthersShown = 2;

std::string number(const std::optional<std::uint64_t>& value) { return value ? base::grouped(*value) : "-"; }

std::string name_of(const NetnsRow& netns) {
  const std::string name = netns.name.empty() ? fmt::format("{}", netns.netns)
                                              : base::fit(base::sanitize_terminal(netns.name), kNameColumns);
  return name + (netns.gone ? " (gone)" : "");
}

std::optional<std::uint64_t> percent(const NetnsRow& netns) {
  if (!netns.in_use || netns.limit.value_or(0) == 0) return std::nullopt;
  return *netns.in_use * 100 / *netns.limit;  // truncated: 100% means full
}

/// "[|||||    ]" of so many columns.
std::string bar(std::uint64_t percent, std::size_t columns) {
  const std::size_t room = columns - 2;
  const std::size_t taken = std::min<std::size_t>(room, (percent * room + 99) / 100);
  return '[' + std::string(taken, '|') + std::string(room - taken, ' ') + ']';
}

Span forecast_span(const Forecast& forecast) {
  switch (forecast.kind) {
    case Forecast::Kind::kUnknown:
      return {};
    case Forecast::Kind::kFull:
      return {fmt::format("! FULL, needs ~{}", base::grouped(forecast.level)), Style::kAlarm};
    case Forecast::Kind::kFillsUp:
      return {fmt::format("! full in ~{:.0f} s", std::ceil(forecast.seconds)),
              forecast.seconds <= kSoonS ? Style::kAlarm : Style::kWarning};
    case Forecast::Kind::kSteady:
      return {fmt::format("steady at ~{}", base::grouped(forecast.level)), Style::kGood};
  }
  return {};
}

/// How full: the one line that is always there.
StyledLine fill_line(const Picture& picture, std::size_t columns) {
  const model::Snapshot& snapshot = picture.snapshot;
  if (snapshot.namespaces.empty()) return {{"TIME_WAIT -/-", Style::kBold}};
  const NetnsRow& netns = snapshot.namespaces.front();
  const auto share = percent(netns);
  const Style style = share >= std::uint64_t{100}   ? Style::kAlarm
                      : share >= kNearlyFullPercent ? Style::kWarning
                                                    : Style::kBar;
  StyledLine line{{fmt::format("TIME_WAIT {}/{}", number(netns.in_use), number(netns.limit)), Style::kBold}};
  if (share) line.push_back({fmt::format("{}%", *share), style == Style::kBar ? Style::kBold : style});
  const Span forecast = forecast_span(picture.forecast);
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

void append_cross_check(StyledLine& line, const NetnsRow& netns) {
  const std::size_t before = line.size();
  const auto missed = [&line](const std::optional<std::uint64_t>& count, const char* what) {
    if (count.value_or(0) != 0)
      line.push_back({fmt::format("missed {} {}", base::grouped(*count), what), Style::kWarning});
  };
  missed(netns.missed.created, "created");
  missed(netns.missed.overflow, "overflow");
  if (line.size() != before) return;
  if (!netns.reconciled) {
    line.push_back({"kernel n/a", Style::kDim});
  } else if (*netns.reconciled) {
    line.push_back({"= kernel", Style::kGood});
  } else {
    line.push_back({"!= kernel", Style::kWarning});
  }
}

Span overflow_span(const model::Counters& counts, double per_s) {
  if (counts.overflow() == 0) return {"overflow 0"};
  return {fmt::format("! overflow {}/s total {}", base::rate(per_s), base::grouped(counts.overflow())), Style::kAlarm};
}

void append_no_memory(StyledLine& line, const model::Counters& counts) {
  if (counts.no_memory != 0) line.push_back({"! no_memory " + base::grouped(counts.no_memory), Style::kAlarm});
}

/// How fast, in the fullest namespace.
StyledLine rates_line(const Picture& picture) {
  if (picture.snapshot.namespaces.empty()) return {{"no network namespace can be seen"}};
  const NetnsRow& netns = picture.snapshot.namespaces.front();
  StyledLine line{{"created " + base::rate(netns.created_per_s) + "/s"}};
  if (!picture.trend.empty() && picture.trend.back().removed && picture.trend.back().length_s > 0) {
    line.push_back({"removed " + base::rate(*picture.trend.back().removed / picture.trend.back().length_s) + "/s"});
  }
  line.push_back(overflow_span(netns.counts, netns.overflow_per_s));
  append_no_memory(line, netns.counts);
  append_cross_check(line, netns);
  line.push_back({fmt::format("created total {}", base::grouped(netns.counts.created()))});
  return line;
}

/// Who was refused. The name is cut, never the numbers.
StyledLine culprit_line(const Culprit& culprit) {
  const model::Row& row = culprit.row;
  const std::string& comm = row.process ? row.process->comm : std::string(model::row_label(row.kind));
  std::string who = base::fit(base::sanitize_terminal(comm), kNameColumns);
  if (row.service && !row.service->name.empty()) {
    who += " of " + base::fit(base::sanitize_terminal(row.service->name), kNameColumns);
  }
  if (row.role && row.port) who += fmt::format(" ({} :{})", model::to_string(*row.role), *row.port);
  const int share = static_cast<int>(culprit.share * 100);
  const std::string how_much =
      culprit.now ? fmt::format("{}/s refused now, {}% of all", base::rate(row.overflow_per_s), share)
                  : fmt::format("{} refused so far, {}% of all", base::grouped(row.counts.overflow()), share);
  return {{fmt::format("! {}: {}", who, how_much), Style::kAlarm}};
}

std::string lost_words(const model::Losses& lost) {
  std::string words;
  const auto add = [&](const char* what, std::uint64_t count) {
    if (count != 0) words += fmt::format("{}{} {}", words.empty() ? "" : "  ", what, base::grouped(count));
  };
  add("counts", lost.counts);
  add("rows_full", lost.rows_full);
  add("rows_busy", lost.rows_busy);
  add("netns_full", lost.netns_full);
  add("sockets_full", lost.sockets_full);
  add("buckets_full", lost.buckets_full);
  add("cgroups_full", lost.cgroups_full);
  add("listeners_full", lost.listeners_full);
  add("pairs_lost", lost.pairs_lost);
  add("recursion_misses", lost.recursion_misses.value_or(0));
  return words;
}

/// The last minutes, and what is looking at them.
StyledLine trend_line(const Picture& picture, const ViewState& state, std::size_t columns, Charset charset) {
  const model::Snapshot& snapshot = picture.snapshot;
  StyledLine line;
  line.push_back({snapshot.probe.backend.empty() ? "no backend" : snapshot.probe.backend});
  line.push_back({fmt::format("events lost {}", base::grouped(snapshot.lost.events)),
                  snapshot.lost.events == 0 ? Style::kNormal : Style::kWarning});
  line.push_back({fmt::format("up {}", base::duration(snapshot.uptime_s))});
  line.push_back({fmt::format("every {:g}s", state.delay_s)});
  if (snapshot.live_age_s.value_or(0) > snapshot.interval_s) {
    line.push_back({fmt::format("live {} old", base::duration(*snapshot.live_age_s)), Style::kWarning});
  }
  if (!snapshot.host.name.empty())
    line.push_back({base::fit(base::sanitize_terminal(snapshot.host.name), kNameColumns)});
  std::vector<double> in_use;
  for (const model::TablePoint& point : picture.trend) in_use.push_back(static_cast<double>(point.in_use));
  const double limit = picture.trend.empty() ? 0 : static_cast<double>(picture.trend.back().limit);
  std::string graph = sparkline(in_use, std::max<std::size_t>(columns / 3, 4), limit, charset);
  if (graph.find_first_not_of(' ') != std::string::npos) {
    line.insert(line.begin(), {graph + ' ' + base::duration(picture.trend.front().age_s), Style::kBar});
  }
  return line;
}

StyledLine other_line(const NetnsRow& netns) {
  StyledLine line{{fmt::format("netns {} {}/{}", name_of(netns), number(netns.in_use), number(netns.limit))}};
  if (const auto share = percent(netns)) line.push_back({fmt::format("{}%", *share)});
  line.push_back({"created " + base::rate(netns.created_per_s) + "/s"});
  line.push_back(overflow_span(netns.counts, netns.overflow_per_s));
  append_no_memory(line, netns.counts);
  append_cross_check(line, netns);
  return line;
}

/// All namespaces that have no line of their own. Nothing refused or missed stays unsaid.
StyledLine remainder_line(const std::vector<NetnsRow>& namespaces, std::size_t first) {
  NetnsRow sum;
  sum.missed = {0, 0};
  sum.reconciled = true;
  for (std::size_t i = first; i < namespaces.size(); ++i) {
    const NetnsRow& netns = namespaces[i];
    sum.counts += netns.counts;
    sum.created_per_s += netns.created_per_s;
    sum.overflow_per_s += netns.overflow_per_s;
    *sum.missed.created += netns.missed.created.value_or(0);
    *sum.missed.overflow += netns.missed.overflow.value_or(0);
    if (netns.reconciled == false) sum.reconciled = false;
  }
  const std::size_t more = namespaces.size() - first;
  StyledLine line{{fmt::format("+{} more namespace{}", more, more == 1 ? "" : "s")}};
  line.push_back({"created " + base::rate(sum.created_per_s) + "/s"});
  line.push_back(overflow_span(sum.counts, sum.overflow_per_s));
  append_no_memory(line, sum.counts);
  append_cross_check(line, sum);
  return line;
}

/// Which lines there are, by the rules of this file.
struct Lines {
  bool rates = false;
  bool culprit = false;
  bool trend = false;
  bool losses = false;
  std::size_t others = 0;  ///< namespaces with a line of their own
  bool remainder = false;
};

Lines lines_of(const Picture& picture, Size size) {
  Lines lines;
  lines.rates = size.rows >= kRowsForRates;
  lines.culprit = picture.culprit && size.rows >= kRowsForCulprit;
  lines.trend = size.rows >= kRowsForTrend;
  lines.losses = size.rows >= kRowsForLosses && !lost_words(picture.snapshot.lost).empty();
  const std::size_t namespaces = picture.snapshot.namespaces.size();
  if (size.rows >= kRowsForOthers && namespaces > 1) {
    // One more line shows one more namespace as well as the sum of one.
    lines.others = namespaces - 1 <= kOthersShown + 1 ? namespaces - 1 : kOthersShown;
    lines.remainder = lines.others < namespaces - 1;
  }
  return lines;
}

}  // namespace

std::size_t header_height(const Picture& picture, Size size) {
  const Lines lines = lines_of(picture, size);
  return 1U + (lines.rates ? 1U : 0U) + (lines.culprit ? 1U : 0U) + (lines.trend ? 1U : 0U) + (lines.losses ? 1U : 0U) +
         lines.others + (lines.remainder ? 1U : 0U);
}

std::vector<StyledLine> header_lines(const Picture& picture, const ViewState& state, Size size, Charset charset) {
  const Lines lines = lines_of(picture, size);
  const std::vector<NetnsRow>& namespaces = picture.snapshot.namespaces;
  std::vector<StyledLine> result{fill_line(picture, size.columns)};
  if (lines.rates) result.push_back(rates_line(picture));
  if (lines.culprit) result.push_back(culprit_line(*picture.culprit));
  if (lines.trend) result.push_back(trend_line(picture, state, size.columns, charset));
  for (std::size_t i = 1; i <= lines.others; ++i) result.push_back(other_line(namespaces[i]));
  if (lines.remainder) result.push_back(remainder_line(namespaces, lines.others + 1));
  if (lines.losses) result.push_back({{"lost: " + lost_words(picture.snapshot.lost), Style::kWarning}});
  return result;
}

}  // namespace twtrace::tui
