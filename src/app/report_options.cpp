// SPDX-License-Identifier: Apache-2.0
// Options of `twtrace report` and `twtrace diff`.
#include "app/option_groups.hpp"

namespace twtrace::app {
namespace {

const std::map<std::string, ReportFormat> kReportFormats = {{"text", ReportFormat::kText},
                                                            {"markdown", ReportFormat::kMarkdown},
                                                            {"json", ReportFormat::kJson},
                                                            {"csv", ReportFormat::kCsv},
                                                            {"html", ReportFormat::kHtml}};

void add_common(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("-o,--output", raw.report_format, "text, markdown, json, csv or html (default text)")
      ->option_text("FORMAT");
  app.add_flag("--json", raw.json, "same as -o json");
  app.add_option("--fail-if", options.report.budgets, "exit with 99 when this is so (repeatable), as in overflow>0")
      ->allow_extra_args(false)  // what follows its value is the file, or another option
      ->option_text("EXPR");
  app.add_option("--color", raw.color, "auto, always or never")->option_text("WHEN");
}

}  // namespace

void add_report_options(CLI::App& app, Options& options, Raw& raw) {
  add_common(app, options, raw);
  app.add_option("file", options.report.file, "the capture (default twtrace.db)")->option_text("FILE");
}

void add_diff_options(CLI::App& app, Options& options, Raw& raw) {
  add_common(app, options, raw);
  app.add_option("before", raw.diff_before, "the earlier capture (default twtrace.db.old)")->option_text("BEFORE");
  app.add_option("after", raw.diff_after, "the later one (default twtrace.db)")->option_text("AFTER");
}

base::Result<void> check_report_options(Options& options, const Raw& raw) {
  const auto format = look_up(kReportFormats, raw.json ? "json" : raw.report_format, "-o");
  if (!format) return tl::unexpected(format.error());
  options.report.format = *format;
  if (raw.diff_before.empty() != raw.diff_after.empty()) {
    return base::fail(base::ErrorCode::kUsage, "diff needs two captures, or none",
                      "twtrace diff BEFORE AFTER; without both it takes twtrace.db.old and twtrace.db");
  }
  if (!raw.diff_before.empty()) {
    options.report.before = raw.diff_before;
    options.report.file = raw.diff_after;
  }
  return check_color(options, raw);
}

}  // namespace twtrace::app
