// SPDX-License-Identifier: Apache-2.0
// The output formats. Whatever the names are, a line stays a line, and a reader can parse it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/escape.hpp"
#include "output/csv.hpp"
#include "output/event_text.hpp"
#include "output/json.hpp"
#include "output/table.hpp"
#include "snapshots.hpp"
#include "support/event_json.hpp"
#include "support/replaced_utf8.hpp"
#include "target.hpp"

namespace twtrace::fuzz {
namespace {

using nlohmann::json;

json parsed(const std::string& line) {
  require_printable(line);
  for (const char c : line) require(static_cast<unsigned char>(c) < 0x80, "JSON is pure ASCII");
  json value = json::parse(line, nullptr, false);
  require(value.is_object(), "a line of JSON is one object");
  return value;
}

// No name may be lost. It is printed as it is, or with replacements and also in hexadecimal.
void check_name(const json& object, const char* field, const std::string& bytes) {
  const json& value = object.at(field);
  if (bytes.empty()) return require(value.is_null(), "an empty name is null");
  require(value == test::replaced_utf8(bytes), "a name reads back");
  const std::string hex_field = std::string(field) + "_hex";
  require(object.contains(hex_field) == !base::is_valid_utf8(bytes), "only ill-formed names are in hexadecimal");
  require(!object.contains(hex_field) || object.at(hex_field) == base::hex(bytes), "the original bytes read back");
}

void run_json(Bytes bytes) {
  const model::Snapshot snapshot = make_snapshot(bytes);
  const json object = parsed(output::snapshot_json(snapshot));
  const json& rows = object.at("rows");
  require(rows.size() == snapshot.rows.size(), "every row is there");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const model::Row& row = snapshot.rows[i];
    require(rows[i].at("created") == row.counts.created(), "counts read back");
    check_name(rows[i].at("process"), "comm", row.process ? row.process->comm : "");
    if (row.service) check_name(rows[i].at("service"), "cgroup", row.service->cgroup);
    if (row.service) check_name(rows[i].at("service"), "name", row.service->name);
  }
}

std::size_t count_cells(std::string_view line) {
  std::size_t cells = 1;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) ++cells;
  }
  require(!quoted, "quotes are paired");
  return cells;
}

/// Calls visit(line) for each line, which must end with a newline.
template <class Visit>
void for_each_line(std::string_view output, Visit visit) {
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    require(end != std::string_view::npos, "every line ends");
    visit(output.substr(0, end));
    output.remove_prefix(end + 1);
  }
}

void run_csv(Bytes bytes) {
  const model::Snapshot snapshot = make_snapshot(bytes);
  const std::string header = output::csv_header(snapshot.group);
  const std::string output = output::snapshot_csv(snapshot);
  require_printable(output, "\n");
  std::size_t lines = 0;
  for_each_line(output, [&](std::string_view line) {
    require(count_cells(line) == count_cells(header), "every line has the header's columns");
    ++lines;
  });
  require(lines == snapshot.rows.size(), "one line per row");
}

void run_table(Bytes bytes) {
  const model::Snapshot snapshot = make_snapshot(bytes);
  for (const std::size_t width : {std::size_t{20}, std::size_t{79}, std::size_t{0}}) {
    output::TableOptions options;
    options.width = width;
    options.wide = width == 0;
    const std::string output = output::snapshot_table(snapshot, options);
    require_printable(output, "\n");
    for_each_line(output, [&](std::string_view line) {
      require(width == 0 || base::display_width(line) <= width, "no line is wider than asked");
    });
    require(static_cast<std::size_t>(std::count(output.begin(), output.end(), '\n')) > snapshot.rows.size(),
            "one line per row, and titles");
  }
}

void run_event(Bytes bytes) {
  const model::Event event = make_event(bytes);
  const json object = parsed(test::event_json(event));
  check_name(object.at("service"), "name", event.service.name);
  require_printable(output::event_text(event, {}));
}

}  // namespace

Target json_target() { return {"json", run_json, snapshot_seeds(), 700}; }
Target csv_target() { return {"csv", run_csv, snapshot_seeds(), 700}; }
Target table_target() { return {"table", run_table, snapshot_seeds(), 700}; }
Target event_target() { return {"event", run_event, snapshot_seeds(), 2'500}; }

}  // namespace twtrace::fuzz
