// SPDX-License-Identifier: Apache-2.0
// The graph of a large screen: one table over the last minutes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "tui/parts.hpp"

namespace twtrace::tui {
namespace {

constexpr std::size_t kPlotColumn = 12;  ///< columns in front of the plot
constexpr std::size_t kEighths = 8;      ///< of one character
constexpr std::size_t kLinesAround = 3;
constexpr std::size_t kLongestMark = 24;

/// What one column of the plot stands for.
struct Bin {
  std::optional<std::uint64_t> in_use;  ///< the most; empty: nothing was measured then
  bool refused = false;
};

/// How time maps to columns. The last column is the present.
struct Axis {
  std::size_t columns = 0;
  double bin_s = 1;

  std::optional<std::size_t> column_of(double age_s) const {
    const auto back = static_cast<std::size_t>(std::max(0.0, age_s) / bin_s);
    return back < columns ? std::optional(columns - 1 - back) : std::nullopt;
  }
};

Axis axis_of(const std::vector<model::TablePoint>& points, std::size_t columns) {
  const double span_s = points.front().age_s + points.front().length_s;
  // While there are fewer samples than columns, each has one.
  return {columns, std::max({span_s / static_cast<double>(columns), points.back().length_s, 1e-3})};
}

std::vector<Bin> bins_of(const std::vector<model::TablePoint>& points, const Axis& axis) {
  std::vector<Bin> bins(axis.columns);
  for (const model::TablePoint& point : points) {
    const std::size_t newest = axis.column_of(point.age_s).value_or(0);
    // An interval that is longer than a column fills the columns in which it was running.
    const double began_s = point.age_s + std::max(0.0, point.length_s - axis.bin_s);
    for (std::size_t column = axis.column_of(began_s).value_or(0); column <= newest; ++column) {
      bins[column].in_use = std::max(bins[column].in_use.value_or(0), point.in_use);
      bins[column].refused = bins[column].refused || point.refused != 0;
    }
  }
  return bins;
}

/// 1, 2 or 5 times a power of ten, not less than `value`.
std::uint64_t round_up(std::uint64_t value) {
  for (std::uint64_t unit = 1;; unit *= 10) {
    for (const std::uint64_t factor : {1U, 2U, 5U}) {
      if (factor * unit >= value) return factor * unit;
    }
    if (unit > UINT64_MAX / 50) return value;
  }
}

/// The value at the upper end: the limit, unless the table never came near it.
std::uint64_t top_of(const std::vector<Bin>& bins, std::uint64_t limit) {
  std::uint64_t most = 0;
  for (const Bin& bin : bins) most = std::max(most, bin.in_use.value_or(0));
  return limit != 0 && most >= limit / 4 ? std::max(limit, most) : round_up(most);
}

/// What stands in a line of the plot, `below` of which are under it.
std::string block(double level, std::size_t below, Charset charset) {
  const double part = std::clamp(level - static_cast<double>(below), 0.0, 1.0);
  if (part <= 0) return {};
  if (charset == Charset::kAscii) return part < 0.5 ? "." : "#";
  const auto eighths = static_cast<std::size_t>(std::ceil(part * static_cast<double>(kEighths)));
  std::string text;
  append_utf8(text, static_cast<char32_t>(U'\u2580' + std::clamp<std::size_t>(eighths, 1, kEighths)));
  return text;
}

void draw_plot(Frame& frame, Area plot, const std::vector<Bin>& bins, std::uint64_t top, bool top_is_limit) {
  const std::string limit_sign = frame.charset() == Charset::kAscii ? "-" : "\u2504";
  for (std::size_t column = 0; column < bins.size(); ++column) {
    const Bin& bin = bins[column];
    const double level = bin.in_use
                             ? static_cast<double>(*bin.in_use) / static_cast<double>(std::max<std::uint64_t>(top, 1)) *
                                   static_cast<double>(plot.rows)
                             : 0;
    for (std::size_t line = 0; line < plot.rows; ++line) {
      const std::string text = block(level, plot.rows - 1 - line, frame.charset());
      if (!text.empty()) {
        frame.write(plot.first + line, kPlotColumn + column, text, bin.refused ? Style::kAlarm : Style::kBar);
      } else if (line == 0 && top_is_limit) {
        frame.write(plot.first, kPlotColumn + column, limit_sign, Style::kDim);
      }
    }
  }
}

void write_label(Frame& frame, std::size_t row, const std::string& text, Style style = Style::kNormal) {
  frame.write(row, kPlotColumn - 1 - std::min(kPlotColumn - 1, base::display_width(text)), text, style);
}

void draw_refusals(Frame& frame, std::size_t row, const std::vector<Bin>& bins) {
  const bool any = std::any_of(bins.begin(), bins.end(), [](const Bin& bin) { return bin.refused; });
  if (!any) return;
  write_label(frame, row, "refused", Style::kAlarm);
  for (std::size_t column = 0; column < bins.size(); ++column) {
    if (bins[column].refused) frame.write(row, kPlotColumn + column, "!", Style::kAlarm);
  }
}

/// The ends of the axis, and what was marked in between.
void draw_times(Frame& frame, std::size_t row, const Axis& axis, const std::vector<MarkInView>& marks) {
  frame.write(row, kPlotColumn, base::duration(static_cast<double>(axis.columns) * axis.bin_s) + " ago", Style::kDim);
  frame.write(row, frame.size().columns - 3, "now", Style::kDim);
  std::size_t free = kPlotColumn;
  for (const MarkInView& mark : marks) {
    const auto column = axis.column_of(mark.age_s);
    if (!column || kPlotColumn + *column < free) continue;
    const std::string name = base::fit(base::sanitize_terminal(mark.name), kLongestMark);
    free = frame.write(row, kPlotColumn + *column, '^' + name, Style::kBold) + 1;
  }
}

}  // namespace

void draw_graph(Frame& frame, Area area, const Picture& picture) {
  if (area.rows <= kLinesAround || frame.size().columns <= kPlotColumn || picture.trend.empty()) return;
  const Axis axis = axis_of(picture.trend, frame.size().columns - kPlotColumn);
  const std::vector<Bin> bins = bins_of(picture.trend, axis);
  const std::uint64_t limit = picture.trend.back().limit;
  const std::uint64_t top = top_of(bins, limit);
  const Area plot{area.first + 1, area.rows - kLinesAround};
  frame.write(area.first, kPlotColumn,
              limit == 0 ? "buckets in use" : fmt::format("buckets in use, limit {}", fmt::group_digits(limit)),
              Style::kBold);
  write_label(frame, plot.first, base::grouped(top));
  write_label(frame, plot.first + plot.rows - 1, "0");
  draw_plot(frame, plot, bins, top, top == limit);
  draw_refusals(frame, plot.first + plot.rows, bins);
  draw_times(frame, plot.first + plot.rows + 1, axis, picture.marks);
}

}  // namespace twtrace::tui
