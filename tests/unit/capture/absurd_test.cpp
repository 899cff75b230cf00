// SPDX-License-Identifier: Apache-2.0
// Captures with numbers that no kernel has. Each is refused, or reported in plain numbers. Run with sanitizers.
#include <cmath>

#include "output/csv.hpp"
#include "output/diff_formats.hpp"
#include "output/hosts_formats.hpp"
#include "output/json.hpp"
#include "output/report_csv.hpp"
#include "output/report_html.hpp"
#include "output/report_json.hpp"
#include "output/report_text.hpp"
#include "output/table.hpp"
#include "report/diff.hpp"
#include "report/hosts.hpp"
#include "support/catch.hpp"
#include "view/rows.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

const std::vector<std::string> kOdd = {"-1",
                                       "0",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "4294967296",
                                       "9e999",
                                       "-9e999",
                                       "1e-300",
                                       "1e300",
                                       "'soon'",
                                       "x'00ff'",
                                       "NULL"};

constexpr std::size_t kSamples = 9;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// What stands around `word`, where it is a word of its own; empty: nowhere.
std::string place_of(const std::string& text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_letter(text[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == text.size() || !is_letter(text[end]))) return text.substr(at < 40 ? 0 : at - 40, 60);
  }
  return {};
}

void check_sane(const std::string& text) {
  CHECK(place_of(text, "nan") == "");
  CHECK(place_of(text, "inf") == "");
  for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%', at + 1)) {
    const std::size_t before = text.find_last_not_of("0123456789.,", at - 1);
    const bool negative = before != std::string::npos && before + 1 < at && text[before] == '-' &&
                          (before == 0 || text[before - 1] == ' ');
    if (negative) FAIL_CHECK(text.substr(before, at + 1 - before));
  }
}

/// The sound capture exceeds all of them by far.
std::vector<report::Budget> budgets() {
  std::vector<report::Budget> all;
  for (const char* text : {"overflow>0", "created>0", "in_use_peak>1", "in_use_peak>1%", "created_ratio>=0",
                           "created_per_s_peak>0", "created>0%", "unattributed>0", "resets_felt>0", "peer_resets>0"}) {
    all.push_back(report::parse_budget(text).value());
  }
  return all;
}

/// One odd value does not turn the failures of the rest into a pass.
void check_verdicts(const report::Report& report) {
  for (const report::Verdict& verdict : report.verdicts) {
    INFO(verdict.budget.text << ": " << verdict.words);
    CHECK(verdict.fails());
    CHECK_FALSE((verdict.measured && std::isnan(*verdict.measured)));
  }
}

void check_report(const report::Report& report, const report::Report& sound) {
  check_verdicts(report);
  for (const std::string& text : {output::report_text(report, output::Color::kNever), output::report_json(report),
                                  output::report_csv(report), output::report_html(report)}) {
    check_sane(text);
  }
  const report::Diff forth = report::diff_reports(sound, report, budgets(), report::Partial::kAllowed);
  const report::Diff back = report::diff_reports(report, sound, budgets(), report::Partial::kFails, 10);
  for (const std::string& text : {output::diff_text(forth, output::Color::kNever), output::diff_json(back)}) {
    check_sane(text);
  }
  const report::Hosts hosts = report::combine({{{}, "a.db", report}, {{}, "b.db", sound}});
  for (const std::string& text : {output::hosts_text(hosts, output::Color::kNever), output::hosts_json(hosts)}) {
    check_sane(text);
  }
}

/// Says in every format whatever can be said of the file.
void check_file(const std::string& path, const report::Report& sound) {
  const auto reader = capture::Reader::open(path);
  if (!reader) {
    CHECK_FALSE(reader.error().what.empty());
    return;
  }
  if (const auto report = report::build_report(**reader, budgets())) check_report(*report, sound);
  std::size_t samples = 0;
  view::View shown;
  shown.max_rows = 5;
  static_cast<void>(
      (*reader)->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        if (++samples < kSamples - 1) return true;  // the value is in the last sample, if it is in one
        const model::Snapshot snapshot = view::with_rows(*head, source, shown);
        check_sane(output::snapshot_table(snapshot, {}));
        check_sane(output::snapshot_json(snapshot));
        check_sane(output::snapshot_csv(snapshot));
        return true;
      }));
}

}  // namespace

TEST_CASE("an absurd value in any column of any table is refused, or reported in plain numbers", "[capture]") {
  const kernel::TempTree tree;
  const std::string sound_path = complete_capture(tree / "sound.db", kSamples);
  const report::Report sound = report::build_report(*open_capture(sound_path), budgets()).value();
  check_report(sound, sound);
  const auto columns = query(sound_path,
                             "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
                             "WHERE s.type='table' AND c.type!='TEXT' AND NOT c.pk");
  CHECK(columns.size() > 150);
  std::size_t turn = 0;
  for (const std::string& column : columns) {
    const std::string table = column.substr(0, column.find('|'));
    const std::string name = '"' + column.substr(table.size() + 1) + '"';
    // The values take turns, so that each meets many columns.
    const std::string& value = kOdd[turn++ % kOdd.size()];
    const std::string path = tree / "absurd.db";
    std::filesystem::copy_file(sound_path, path, std::filesystem::copy_options::overwrite_existing);
    run_sql(path, "PRAGMA synchronous=OFF; UPDATE OR IGNORE " + table + " SET " + name + "=" + value +
                      " WHERE id=(SELECT max(id) FROM " + table + ")");
    INFO(column << " = " << value);
    check_file(path, sound);
  }
}
