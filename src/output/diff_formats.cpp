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

Json counts_json(const std::optional<model::Counters>& counts, double per_s, bool sees_removal) {
  if (!counts) return nullptr;
  Json object;
  put_counts(object, *counts, sees_removal);
  object["created_per_s"] = rounded(per_s);
  return object;
}

Json row_json(const Diff& diff, const DiffRow& row) {
  Json object{{"kind", std::string(view::row_kind(row.key.kind))}};
  put_text(object, "service", row.key.service);
  put_text(object, "comm", row.key.comm);
  object["role"] = row.key.role ? Json(model::to_string(*row.key.role)) : Json(nullptr);
  object["port"] = nullable(row.key.port);
  object["state"] = !row.before ? "new" : !row.after ? "gone" : row.differs() ? "changed" : "same";
  object["before"] = counts_json(row.before, row.before_per_s, diff.before.info.probe.sees_removal);
  object["after"] = counts_json(row.after, row.after_per_s, diff.after.info.probe.sees_removal);
  return object;
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
  out += markdown_verdict_lines(diff.after);
  for (const std::string& warning : diff.warnings) out += "- **warning** " + base::markdown_text(warning) + "\n";
  out += "\n" + markdown_grid(diff_captures_grid(diff));
  return out + "\n### Who\n\n" + markdown_grid(diff_grid(diff));
}

std::string diff_json(const Diff& diff) {
  Json object{{"schema", "twtrace.diff/1"}, {"differ", diff.differ()}, {"breached", report::breached(diff.after)}};
  object["verdicts"] = verdicts_json(diff.after);
  object["warnings"] = Json::array();
  for (const std::string& warning : diff.warnings) {
    object["warnings"].push_back(base::replace_invalid_utf8(warning));
  }
  object["by_rate"] = diff.by_rate;
  object["before"] = capture_json(diff.before);
  object["after"] = capture_json(diff.after);
  object["rows"] = Json::array();
  for (const DiffRow& row : diff.rows) object["rows"].push_back(row_json(diff, row));
  return to_line(object);
}

std::string diff_html(const Diff& diff) {
  std::string body = html_heading(1, "TIME_WAIT before and after") + html_headline(diff_headline(diff) + ".");
  body += html_verdicts(diff.after) + html_warnings(diff.warnings);
  body += html_heading(2, "Captures") + html_grid(diff_captures_grid(diff));
  body += html_heading(2, diff.by_rate ? "Who, by change of created per second" : "Who, by change of created");
  return html_page("TIME_WAIT: " + report_title(diff.before) + " and " + report_title(diff.after),
                   body + html_grid(diff_grid(diff)));
}

}  // namespace twtrace::output
