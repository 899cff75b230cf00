// SPDX-License-Identifier: Apache-2.0
// Charts as SVG. They use only presentation attributes, so they look the same if styles are forbidden. Text takes the
// page's colour. The other colours are visible on white and on black.
#include <fmt/format.h>

#include <algorithm>

#include "base/format.hpp"
#include "output/chart_scale.hpp"
#include "output/html_parts.hpp"
#include "output/report_parts.hpp"
#include "phrases/owner.hpp"

namespace twtrace::output {
namespace {

using report::Report;
using report::TimelinePoint;

constexpr double kWidth = 640;
constexpr double kLeft = 56;
constexpr double kRight = 16;
constexpr double kTop = 34;      // letters of the moments
constexpr double kPlot = 230;    // height of the table's plot
constexpr double kPlotGap = 14;  // above each row of bars
constexpr double kBars = 46;     // height of a row of bars
constexpr double kBelow = 26;    // times
constexpr double kPlotWidth = kWidth - kLeft - kRight;
constexpr int kTicks = 4;
constexpr std::size_t kMomentsNamed = 26;

constexpr const char* kInUse = "#4a8fd8";
constexpr const char* kBad = "#d9483b";
constexpr const char* kOlder = "#8a8a8a";
constexpr const char* kError = "#c58a1b";
constexpr const char* kMark = "#8d7ac4";
constexpr const char* kText = R"(font-family="system-ui,sans-serif" font-size="13" fill="currentColor")";
constexpr const char* kNameText = R"(font-family="ui-monospace,monospace" font-size="13" fill="currentColor")";

/// The position of a moment on the time axis.
class Axis {
 public:
  explicit Axis(const Report& report)
      : begin_(static_cast<double>(report.begin_unix_ms)),
        length_(std::max(1.0, static_cast<double>(report.end_unix_ms - report.begin_unix_ms))) {}

  double x(std::int64_t unix_ms) const {
    return kLeft + std::clamp((static_cast<double>(unix_ms) - begin_) / length_, 0.0, 1.0) * kPlotWidth;
  }
  double length_s() const { return length_ / 1000; }

 private:
  double begin_;
  double length_;
};

/// The bottom of a row of bars, from 0 on.
constexpr double bars_bottom(std::size_t row) {
  return kTop + kPlot + (kPlotGap + kBars) * static_cast<double>(row + 1);
}

double y(std::uint64_t value, std::uint64_t top) {
  return kTop + kPlot * (1 - std::min(1.0, static_cast<double>(value) / static_cast<double>(top)));
}

std::string text_at(double x, double y, const char* anchor, const std::string& text, const char* font = kText) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y, anchor, font,
                     base::html_text(text));
}

std::string line(double x1, double y1, double x2, double y2, const char* stroke, const char* more) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" {}/>\n", x1, y1, x2,
                     y2, stroke, more);
}

std::string grid_lines(const Axis& axis, const ChartScale& scale, double height) {
  std::string out;
  for (int i = 0; i <= kTicks; ++i) {
    const std::uint64_t value = scale.top * static_cast<std::uint64_t>(i) / kTicks;
    out += line(kLeft, y(value, scale.top), kWidth - kRight, y(value, scale.top), "currentColor",
                "stroke-opacity=\"0.15\"");
    out += text_at(kLeft - 8, y(value, scale.top) + 4, "end", base::human_count(value));
    const double at = static_cast<double>(i) / kTicks;
    out += text_at(kLeft + at * kPlotWidth, height - 6,
                   i == 0        ? "start"
                   : i == kTicks ? "end"
                                 : "middle",
                   "+" + base::duration(at * axis.length_s()));
  }
  return out;
}

/// Draws steps, not slopes, because nothing was measured between two samples.
std::string in_use(const Axis& axis, const ChartScale& scale, const std::vector<TimelinePoint>& timeline) {
  std::string path;
  for (const TimelinePoint& point : timeline) {
    const double height = y(point.in_use.value_or(0), scale.top);
    path += fmt::format("{}{:.1f} {:.1f}L{:.1f} {:.1f}", path.empty() ? "M" : "L", axis.x(point.begin_unix_ms), height,
                        axis.x(point.end_unix_ms), height);
  }
  return fmt::format(
      "<path d=\"{}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\" fill=\"{}\" fill-opacity=\"0.35\"/>\n"
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
      path, axis.x(timeline.back().end_unix_ms), kTop + kPlot, axis.x(timeline.front().begin_unix_ms), kTop + kPlot,
      kInUse, path, kInUse);
}

std::string limit_line(const Axis& axis, const ChartScale& scale, const std::vector<TimelinePoint>& timeline) {
  if (!scale.limit_shown) return {};
  std::string path;
  for (const TimelinePoint& point : timeline) {
    if (!point.limit) continue;
    const double height = y(*point.limit, scale.top);
    path += fmt::format("{}{:.1f} {:.1f}L{:.1f} {:.1f}", path.empty() ? "M" : "L", axis.x(point.begin_unix_ms), height,
                        axis.x(point.end_unix_ms), height);
  }
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"7 4\"/>\n", path,
                     kBad) +
         text_at(kLeft + 6, y(scale.limit, scale.top) + 16, "start", "limit " + base::grouped(scale.limit));
}

/// A row of bars. `count(point)` is the height of one.
template <class Point, class Count>
std::string bars(const Axis& axis, std::size_t row, const char* name, const char* fill,
                 const std::vector<Point>& points, const Count& count) {
  const double bottom = bars_bottom(row);
  std::string out = line(kLeft, bottom, kWidth - kRight, bottom, "currentColor", "stroke-opacity=\"0.4\"");
  out += text_at(kLeft - 8, bottom - 2, "end", name);
  std::uint64_t most = 0;
  for (const Point& point : points) most = std::max(most, count(point));
  if (most == 0) return out + text_at(kLeft + 6, bottom - 6, "start", "none");
  out += text_at(kLeft - 8, bottom - kBars + 10, "end", base::human_count(most));
  for (const Point& point : points) {
    if (count(point) == 0) continue;
    const double height = std::max(2.0, kBars * static_cast<double>(count(point)) / static_cast<double>(most));
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
                       axis.x(point.begin_unix_ms), bottom - height,
                       std::max(1.5, axis.x(point.end_unix_ms) - axis.x(point.begin_unix_ms) - 1), height, fill);
  }
  return out;
}

std::string all_bars(const Report& report, const Axis& axis, const std::vector<TimelinePoint>& timeline) {
  std::string out = bars(axis, 0, "refused", kBad, timeline, [](const TimelinePoint& point) { return point.refused; });
  if (report.logs.timeline.empty()) return out;
  out +=
      bars(axis, 1, "resets", kBad, report.logs.timeline, [](const report::LogPoint& point) { return point.resets; });
  return out + bars(axis, 2, "errors", kError, report.logs.timeline,
                    [](const report::LogPoint& point) { return point.lines; });
}

std::string moment_lines(const Report& report, const Axis& axis, double bottom) {
  std::string out;
  double free_from = 0;
  std::size_t named = 0;
  for (const Marker& moment : markers(report)) {
    if (named == kMomentsNamed) break;
    const double x = axis.x(moment.time_unix_ms);
    out += line(x, kTop - 8, x, bottom, kMark, R"(stroke-width="1.5" stroke-dasharray="2 3")");
    // Letters of moments at the same place stand side by side.
    const double at = std::max(x, free_from);
    free_from = at + 12;
    out += text_at(at, kTop - 14, "middle", std::string(1, static_cast<char>('a' + static_cast<char>(named++))));
  }
  return out;
}

std::string moment_legend(const Report& report) {
  std::vector<Property> facts;
  for (const Marker& moment : markers(report)) {
    if (facts.size() == kMomentsNamed) break;
    facts.push_back({std::string(1, static_cast<char>('a' + static_cast<char>(facts.size()))),
                     offset_words(report, moment.time_unix_ms) + " " + moment.name});
  }
  return facts.empty() ? std::string() : html_facts(facts);
}

std::string svg(double height, const std::string& id, const std::string& title, const std::string& inside) {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" width=\"{:.0f}\" "
             "height=\"{:.0f}\" role=\"img\" aria-labelledby=\"{}\">\n<title id=\"{}\">{}</title>\n",
             kWidth, height, kWidth, height, id, id, base::html_text(title)) +
         inside + "</svg>\n";
}

}  // namespace

std::string html_chart(const Report& report) {
  if (!has_timeline(report)) return {};
  const std::vector<TimelinePoint>& timeline = report.namespaces.front().timeline;
  const Axis axis(report);
  const ChartScale scale = chart_scale(report);
  const std::string title = fmt::format(
      "Buckets in use over {}: at most {} of {}; {} refused", base::duration(axis.length_s()),
      count_words(report.namespaces.front().in_use_peak),
      scale.limit == 0 && !report.namespaces.front().last.limit ? "an unknown limit" : base::grouped(scale.limit),
      fmt::group_digits(report.namespaces.front().last.counts.refused()));
  const double bottom = bars_bottom(report.logs.timeline.empty() ? 0 : 2);
  const double height = bottom + kBelow;
  std::string out =
      svg(height, "timeline", title,
          grid_lines(axis, scale, height) + in_use(axis, scale, timeline) + limit_line(axis, scale, timeline) +
              all_bars(report, axis, timeline) + moment_lines(report, axis, bottom));
  if (scale.limit != 0 && !scale.limit_shown) {
    out += "<p>The limit of " + base::grouped(scale.limit) + " is far above the picture.</p>\n";
  }
  return out + moment_legend(report);
}

std::string html_bars(const Report& report) {
  constexpr double kRow = 40;  // a name, and the bar below it
  constexpr double kBar = 14;
  constexpr double kBarTop = 19;
  constexpr double kBeforeNumbers = 8;
  constexpr double kDigit = 8.4;            // of numbers, in the widest fonts
  constexpr std::size_t kNameColumns = 80;  // of kNameText, in kWidth
  struct Bar {
    const report::Owner* owner;
    std::string numbers;
  };
  std::vector<Bar> shown;
  std::uint64_t most = 1;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < std::min(kOwnersShown, report.owners.size()); ++i) {
    const report::Owner& owner = report.owners[i];
    const model::Counters& counts = owner.row.counts;
    const std::uint64_t all = counts.created() + counts.refused() + owner.before_start;
    if (all == 0) continue;
    most = std::max(most, all);
    shown.push_back({&owner, owner.before_start != 0 ? base::grouped(owner.before_start) + " before start"
                             : counts.refused() == 0
                                 ? base::grouped(counts.created())
                                 : base::grouped(counts.created()) + " + " + base::grouped(counts.refused())});
    digits = std::max(digits, shown.back().numbers.size());
  }
  if (shown.empty()) return {};
  const double unit = (kWidth - kBeforeNumbers - kDigit * static_cast<double>(digits)) / static_cast<double>(most);
  std::string inside;
  double top = 0;
  for (const Bar& bar : shown) {
    const model::Row& row = bar.owner->row;
    double end = 0;
    const auto part = [&](std::uint64_t count, const char* fill) {
      const double width = static_cast<double>(count) * unit;
      inside += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", end,
                            top + kBarTop, std::max(width, 1.0), kBar, fill);
      end += width;
    };
    const std::string name = base::fit(base::sanitize_terminal(phrases::owner_words(row)), kNameColumns);
    inside += text_at(0, top + 14, "start", name, kNameText);
    if (bar.owner->before_start != 0) {
      part(bar.owner->before_start, kOlder);
    } else {
      part(row.counts.created(), kInUse);
      if (row.counts.refused() != 0) part(row.counts.refused(), kBad);
    }
    inside += text_at(end + kBeforeNumbers, top + kBarTop + 12, "start", bar.numbers);
    top += kRow;
  }
  return svg(top, "offenders", "Buckets created, and refused ones behind them, by who closed first", inside) +
         "<p>Blue: created. Red, and behind the plus sign: refused. Grey: there before the start.</p>\n";
}

}  // namespace twtrace::output
