// SPDX-License-Identifier: Apache-2.0
#include "output/csv.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

struct CellText {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(std::uint64_t count) const { return fmt::format("{}", count); }
  std::string operator()(double rate) const {
    return std::isfinite(rate) ? fmt::format("{:.3f}", rate) : std::string();
  }
  std::string operator()(const std::string& text) const { return csv_text(text); }
};

}  // namespace

std::string csv_text(std::string_view bytes) { return base::csv_cell(base::sanitize_terminal(bytes)); }

std::string csv_header(model::Group group) {
  std::string line = "time,kind";
  for (const view::Column& column : view::columns(group, true)) line.append(",").append(column.name);
  return line += '\n';
}

std::string snapshot_csv(const model::Snapshot& snapshot) {
  const std::string time = base::iso8601_ms(snapshot.time_unix_ms);
  std::string out;
  for (const model::Row& row : snapshot.rows) {
    out.append(time).append(",").append(view::row_kind(row.kind));
    for (const view::Column& column : view::columns(snapshot.group, true)) {
      out.append(",").append(std::visit(CellText{}, column.value(snapshot.probe, row)));
    }
    out += '\n';
  }
  return out;
}

}  // namespace twtrace::output
