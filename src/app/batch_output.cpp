// SPDX-License-Identifier: Apache-2.0
#include "app/batch_output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "app/own_process.hpp"
#include "app/version.hpp"
#include "output/csv.hpp"
#include "output/json.hpp"
#include "output/openmetrics.hpp"
#include "output/table.hpp"
#include "phrases/namespace.hpp"
#include "view/rows.hpp"
#include "view/troubles.hpp"

namespace twtrace::app {
namespace {

constexpr std::size_t kDefaultWidth = 79;

/// A terminal may get another size at any time.
std::size_t table_width(TableFormat format, bool terminal) {
  winsize size{};
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
    return size.ws_col - 1U;
  }
  return format == TableFormat::kWide ? 0 : kDefaultWidth;
}

}  // namespace

BatchOutput::BatchOutput(const TableOptions& options, view::View shown)
    : options_(options),
      shown_(std::move(shown)),
      metrics_(kNobodyYoung),
      color_(options.output.color()),
      terminal_(::isatty(STDOUT_FILENO) != 0) {}

std::string BatchOutput::render(const model::Snapshot& snapshot, const std::string& no_netns) const {
  const TableFormat format = options_.output.format;
  const bool no_row = snapshot.rows.empty() && !shown_.selector.empty();
  std::vector<std::string> warnings;
  switch (format) {
    case TableFormat::kJson:
      if (!no_netns.empty() || no_row) warnings.push_back(no_netns.empty() ? output::kNoRowMatches : no_netns);
      return output::snapshot_json(snapshot, warnings) + "\n";
    case TableFormat::kCsv:
      return output::snapshot_csv(snapshot);
    case TableFormat::kTable:
    case TableFormat::kWide:
    case TableFormat::kOpenMetrics:
      break;
  }
  output::TableOptions table;
  table.wide = format == TableFormat::kWide;
  table.width = table_width(format, terminal_);
  table.color = color_;
  table.sort = shown_.sort;
  table.filtered = !shown_.selector.empty();
  table.no_netns = no_netns;
  return output::snapshot_table(snapshot, table) + "\n";
}

std::string BatchOutput::header() const {
  return options_.output.format == TableFormat::kCsv ? output::csv_header(options_.rows.group) : std::string();
}

std::string BatchOutput::metrics(const model::Snapshot& head, const model::Source& source) {
  metrics_.observe(head, source, shown_.selector);
  return output::metrics_text(metrics_, {kVersion, kCommit}, own_process(head), output::MetricFormat::kOpenMetrics);
}

/// The lines above a table are about the namespaces that somebody asked for. Totals of JSON are about all.
void BatchOutput::leave_out_others(model::Snapshot& head) const {
  const view::Selector asked_for = shown_.selector.only(view::Key::kNetns);
  std::erase_if(head.namespaces,
                [&](const model::NetnsRow& netns) { return !asked_for.accepts(view::subject_of(netns)); });
}

std::string BatchOutput::text(model::Snapshot head, const model::Source& source) {
  const TableFormat format = options_.output.format;
  if (format == TableFormat::kOpenMetrics) return metrics(head, source);
  if (format != TableFormat::kCsv) trends_.observe(head);  // CSV shows neither forecasts nor troubles
  if (format != TableFormat::kCsv) head.troubles = view::find_troubles(source, head, shown_.selector);
  const std::string no_netns = phrases::no_netns_words(shown_.selector, head.namespaces);
  if (format == TableFormat::kTable || format == TableFormat::kWide) leave_out_others(head);
  return render(view::with_rows(std::move(head), source, shown_), no_netns);
}

}  // namespace twtrace::app
