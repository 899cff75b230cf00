// SPDX-License-Identifier: Apache-2.0
#include "app/batch_output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "app/stdout_writer.hpp"
#include "output/csv.hpp"
#include "output/json.hpp"
#include "output/table.hpp"

namespace twtrace::app {
namespace {

constexpr std::size_t kDefaultWidth = 79;

std::size_t table_width(const Options& options) {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
    return size.ws_col - 1U;
  }
  return options.format == Format::kWide ? 0 : kDefaultWidth;
}

std::string render(const model::Snapshot& snapshot, const Options& options) {
  switch (options.format) {
    case Format::kJson:
      return output::snapshot_json(snapshot) + "\n";
    case Format::kCsv:
      return output::snapshot_csv(snapshot);
    case Format::kTable:
    case Format::kWide:
      break;
  }
  output::TableOptions table;
  table.wide = options.format == Format::kWide;
  table.width = table_width(options);
  table.color = options.color;
  return output::snapshot_table(snapshot, table) + "\n";
}

}  // namespace

base::Result<void> begin_batch(const Options& options) {
  if (options.format != Format::kCsv) return {};
  return write_stdout(output::csv_header(options.view.group));
}

base::Result<void> write_batch(const model::Snapshot& snapshot, const Options& options) {
  return write_stdout(render(snapshot, options));
}

}  // namespace twtrace::app
