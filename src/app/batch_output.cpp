// SPDX-License-Identifier: Apache-2.0
#include "app/batch_output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "app/own_process.hpp"
#include "app/streams.hpp"
#include "app/version.hpp"
#include "output/csv.hpp"
#include "output/json.hpp"
#include "output/openmetrics.hpp"
#include "output/table.hpp"
#include "view/rows.hpp"
#include "view/troubles.hpp"

namespace twtrace::app {
namespace {

constexpr std::size_t kDefaultWidth = 79;

std::size_t table_width(TableFormat format) {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
    return size.ws_col - 1U;
  }
  return format == TableFormat::kWide ? 0 : kDefaultWidth;
}

std::string render(const model::Snapshot& snapshot, const TableOptions& options) {
  const TableFormat format = options.output.format;
  switch (format) {
    case TableFormat::kJson:
      return output::snapshot_json(snapshot) + "\n";
    case TableFormat::kCsv:
      return output::snapshot_csv(snapshot);
    case TableFormat::kTable:
    case TableFormat::kWide:
    case TableFormat::kOpenMetrics:
      break;
  }
  output::TableOptions table;
  table.wide = format == TableFormat::kWide;
  table.width = table_width(format);
  table.color = options.output.color();
  return output::snapshot_table(snapshot, table) + "\n";
}

}  // namespace

base::Result<void> BatchOutput::begin() const {
  if (options_.output.format != TableFormat::kCsv) return {};
  return write_stdout(output::csv_header(options_.rows.group));
}

std::string BatchOutput::metrics(const model::Snapshot& head, const model::Source& source) {
  metrics_.observe(head, source, shown_.selector);
  return output::metrics_text(metrics_, {kVersion, kCommit}, own_process(head), output::MetricFormat::kOpenMetrics);
}

base::Result<void> BatchOutput::write(model::Snapshot head, const model::Source& source) {
  const TableFormat format = options_.output.format;
  if (format == TableFormat::kOpenMetrics) return write_stdout(metrics(head, source));
  if (format != TableFormat::kCsv) trends_.observe(head);  // CSV shows neither forecasts nor troubles
  if (format != TableFormat::kCsv) head.troubles = view::find_troubles(source, head, shown_.selector);
  return write_stdout(render(view::with_rows(std::move(head), source, shown_), options_));
}

}  // namespace twtrace::app
