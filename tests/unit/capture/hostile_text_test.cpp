// SPDX-License-Identifier: Apache-2.0
// Captures whose texts were written to deceive: a terminal, a browser, a parser of JSON. Each is refused, or shown with
// every such byte made visible. Run with sanitizers.
#include <nlohmann/json.hpp>

#include "base/escape.hpp"
#include "base/unicode.hpp"
#include "output/csv.hpp"
#include "output/diff_formats.hpp"
#include "output/event_text.hpp"
#include "output/hosts_formats.hpp"
#include "output/json.hpp"
#include "output/openmetrics.hpp"
#include "output/report_csv.hpp"
#include "output/report_html.hpp"
#include "output/report_json.hpp"
#include "output/report_markdown.hpp"
#include "output/report_text.hpp"
#include "output/table.hpp"
#include "report/diff.hpp"
#include "report/hosts.hpp"
#include "support/catch.hpp"
#include "view/rows.hpp"
#include "view/troubles.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;
using namespace std::string_literals;

namespace {

using Bytes = std::pair<const char*, std::string>;

/// Every column gets it.
const Bytes kHostile = {
    "control characters, escape sequences, bidi controls, no UTF-8, NUL, markup",
    "a\x01\x1b[31m\x1b]0;t\x07\r\n\t\x7f\u009b31m\u202e\u2066\u200b\u2028\xff\xc0\xaf\xed\xa0\x80\0b"
    "<hostile a=\"b\">'&amp;|`*_[x](y)\\,=1+1\n\n# x"s};
/// The others take turns.
const std::vector<Bytes> kOdd = {
    {"nothing", ""}, {"one word without a blank", std::string(256, 'x')}, {"100 KB", std::string(100'000, 'x')}};

constexpr std::size_t kSamples = 8;

std::string full_capture(const kernel::TempTree& tree) {
  const std::string path = complete_capture(tree / "sound.db", kSamples);
  run_sql(
      path,
      "INSERT INTO budget(text) VALUES('overflow>0'); INSERT INTO log VALUES(1,'file','app.log','refused',0,0,'');"
      "INSERT INTO log_line SELECT 1, id, 1, time_unix_ms, 1, 'refused' FROM sample WHERE id=4;"
      "INSERT OR IGNORE INTO port_use VALUES(1, 1, 4026531840, 1, '10.0.0.9', 6379, 9, 0, 0, 0, NULL, NULL, 28232)");
  return path;
}

/// What a text must not have, or empty. Only lines may end.
std::string deception(std::string_view text) {
  while (!text.empty()) {
    const base::Decoded next = base::decode_utf8(text);
    const std::string_view bytes = text.substr(0, next.size);
    if (!next.valid || (next.code_point != '\n' && base::is_invisible(next.code_point))) return base::hex(bytes);
    text.remove_prefix(next.size);
  }
  return {};
}

void check_text(const std::string& text) { CHECK(deception(text) == ""); }

void check_markup(const std::string& text) {
  check_text(text);
  CHECK(text.find("<hostile") == std::string::npos);
}

void check_json(const std::string& text) {
  check_text(text);
  std::size_t begin = 0;
  while (begin < text.size()) {  // a value per line
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    CHECK(nlohmann::json::accept(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                 text.begin() + static_cast<std::ptrdiff_t>(end)));
    begin = end + 1;
  }
}

void check_report(const report::Report& report, const report::Report& sound) {
  check_text(output::report_text(report, output::Color::kNever));
  check_text(output::report_csv(report));
  check_markup(output::report_markdown(report));
  check_markup(output::report_html(report));
  check_json(output::report_json(report));
  const report::Diff diff = report::diff_reports(sound, report, {}, report::Partial::kAllowed);
  check_text(output::diff_text(diff, output::Color::kNever));
  check_json(output::diff_json(diff));
  const report::Hosts hosts = report::combine({{{}, "a.db", report}, {{}, "b.db", sound}});
  check_text(output::hosts_text(hosts, output::Color::kNever));
  check_json(output::hosts_json(hosts));
}

/// As `replay -b` prints it.
void check_sample(model::Snapshot head, const model::Source& source) {
  head.troubles = view::find_troubles(source, head, {});
  for (const model::Group group : {model::Group::kProcess, model::Group::kPeer}) {
    view::View shown;
    shown.max_rows = 10;
    shown.group = group;
    const model::Snapshot snapshot = view::with_rows(head, source, shown);
    check_text(output::snapshot_table(snapshot, {.wide = true, .width = 0}));
    check_text(output::snapshot_csv(snapshot));
    check_json(output::snapshot_json(snapshot));
  }
  output::MetricFold fold({.min_age_s = 0});
  fold.observe(head, source, {});
  check_text(output::metrics_text(fold, {"1", ""}, {}, output::MetricFormat::kOpenMetrics));
}

/// True if the file was taken, and something of it shown.
bool check_file(const std::string& path, const report::Report& sound) {
  const auto reader = capture::Reader::open(path);
  if (!reader) {
    check_text(base::sanitize_terminal(reader.error().what));  // as main() prints it
    return false;
  }
  if (const auto report = report::build_report(**reader, {})) check_report(*report, sound);
  std::size_t samples = 0;
  const auto read =
      (*reader)->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        if (++samples == kSamples) check_sample(*head, source);
        return true;
      });
  if (const auto events = (*reader)->events_until(World::kStart + 99'000, 10)) {
    for (const model::Event& event : *events) {
      check_text(output::event_text(event, {}));
      std::string json;
      output::append_event_json(json, event);
      check_json(json);
    }
  }
  return read.has_value();
}

}  // namespace

TEST_CASE("a hostile text in any column of any table is refused, or made visible wherever it is shown", "[capture]") {
  const kernel::TempTree tree;
  const std::string sound_path = full_capture(tree);
  const report::Report sound = report::build_report(*open_capture(sound_path), {}).value();
  REQUIRE(check_file(sound_path, sound));
  const auto columns = query(sound_path,
                             "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
                             "WHERE s.type='table' AND c.type='TEXT'");
  CHECK(columns.size() == 38);
  std::size_t shown = 0;
  std::size_t turn = 0;
  for (const std::string& column : columns) {
    const std::string table = column.substr(0, column.find('|'));
    INFO(column);
    REQUIRE(query(sound_path, "SELECT count(*)>0 FROM " + table) == std::vector<std::string>{"1"});
    for (const auto& [what, bytes] : {kHostile, kOdd[turn++ % kOdd.size()]}) {
      const std::string path = tree / "hostile.db";
      std::filesystem::copy_file(sound_path, path, std::filesystem::copy_options::overwrite_existing);
      run_sql(path, "PRAGMA synchronous=OFF; UPDATE " + table + " SET " + column.substr(table.size() + 1) + "=CAST(x'" +
                        base::hex(bytes) + "' AS TEXT)");
      INFO(what);
      if (check_file(path, sound)) ++shown;
    }
  }
  CHECK(shown > 40);  // all but 100 KB, and columns that hold one of some words
}
