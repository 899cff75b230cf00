// SPDX-License-Identifier: Apache-2.0
#include "output/diff_formats.hpp"

#include "output/diff_parts.hpp"
#include "output/html_parts.hpp"
#include "output/markdown_parts.hpp"
#include "output/report_fields.hpp"
#include "output/text_grid.hpp"
#include "output/text_parts.hpp"
#include "output/wrap.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

using report::Diff;
using report::DiffRow;

void put_counts(JsonWriter& json, std::string_view key, const std::optional<model::Counters>& counts, double per_s,
                const model::Sight& sees) {
  json.object_if(key, counts, [&](const model::Counters& known) {
    put_counts(json, known, sees);
    json.field("created_per_s", rounded(per_s));
  });
}

void put_row(JsonWriter& json, const Diff& diff, const DiffRow& row) {
  json.field("kind", view::row_kind(row.key.kind));
  json.text("service", row.key.service);
  json.text("comm", row.key.comm);
  json.field("role", word(row.key.role));
  json.field("port", row.key.port);
  json.field("state", !row.before ? "new" : !row.after ? "gone" : row.differs ? "changed" : "same");
  json.field("differs", row.differs);
  put_counts(json, "before", row.before, row.before_per_s, diff.before.info.probe.sees);
  put_counts(json, "after", row.after, row.after_per_s, diff.after.info.probe.sees);
}

}  // namespace

std::string diff_text(const Diff& diff, Color color) {
  std::string out = wrapped(diff_headline(diff) + ".", 0, 0);
  out += text_verdicts(diff.after, color);
  for (const std::string& warning : diff.warnings) {
    out += alarm("!", color) + " " + wrapped(base::sanitize_terminal(warning), 2, 2, true);
  }
  out += "\n" + text_grid(diff_captures_grid(diff));
  return out + "\nWHO, " + (diff.by_rate ? "by change of created per second" : "by change of created") + "\n" +
         text_grid(diff_grid(diff));
}

std::string diff_markdown(const Diff& diff) {
  std::string out = "## TIME_WAIT: " + base::markdown_text(report_title(diff.before)) + " and " +
                    base::markdown_text(report_title(diff.after)) + "\n\n" + base::markdown_text(diff_headline(diff)) +
                    ".\n\n";
  out += markdown_verdict_lines(verdict_lines(diff.after));
  for (const std::string& warning : diff.warnings) out += "- **warning** " + base::markdown_text(warning) + "\n";
  out += "\n" + markdown_grid(diff_captures_grid(diff));
  return out + "\n### Who\n\n" + markdown_grid(diff_grid(diff));
}

std::string diff_json(const Diff& diff) {
  std::string line;
  JsonWriter json(line);
  json.object([&] {
    json.field("schema", "twtrace.diff/1");
    json.field("differ", diff.unknown.empty() ? std::optional(diff.differ()) : std::nullopt);
    json.field("breached", report::breached(diff.after));
    put_verdicts(json, diff.after);
    json.texts("warnings", diff.warnings);
    json.field("by_rate", diff.by_rate);
    json.field("threshold_percent", diff.threshold);
    json.object("before", [&] { put_capture(json, diff.before); });
    json.object("after", [&] { put_capture(json, diff.after); });
    json.objects("rows", diff.rows, [&](const DiffRow& row) { put_row(json, diff, row); });
  });
  return line;
}

std::string diff_html(const Diff& diff) {
  std::string body = html_heading(1, "TIME_WAIT before and after") + html_headline(diff_headline(diff) + ".");
  body += html_verdicts(verdict_lines(diff.after)) + html_warnings(diff.warnings);
  body += html_heading(2, "Captures") + html_grid(diff_captures_grid(diff));
  body += html_heading(2, diff.by_rate ? "Who, by change of created per second" : "Who, by change of created");
  return html_page("TIME_WAIT: " + report_title(diff.before) + " and " + report_title(diff.after),
                   body + html_grid(diff_grid(diff)));
}

}  // namespace twtrace::output
