// SPDX-License-Identifier: Apache-2.0
// `twtrace diff`: what changed between two captures.
#include "app/capture_report.hpp"
#include "app/command.hpp"
#include "app/stdout_writer.hpp"
#include "output/diff_formats.hpp"
#include "output/report_csv.hpp"

namespace twtrace::app {
namespace {

std::string rendered(const report::Diff& diff, const Options& options) {
  switch (options.report.format) {
    case ReportFormat::kText:
      return output::diff_text(diff, options.color);
    case ReportFormat::kMarkdown:
      return output::diff_markdown(diff);
    case ReportFormat::kJson:
      return output::diff_json(diff) + "\n";
    case ReportFormat::kCsv:
      return output::diff_csv(diff);
    case ReportFormat::kHtml:
      return output::diff_html(diff);
  }
  return {};
}

}  // namespace

base::Result<int> run_diff(const Options& options) {
  const auto budgets = parse_budgets(options.report.budgets);
  if (!budgets) return tl::unexpected(budgets.error());
  auto before = read_report(options.report.before, {});
  if (!before) return tl::unexpected(before.error());
  auto after = read_report(options.report.file, {});
  if (!after) return tl::unexpected(after.error());
  const report::Diff diff = report::diff_reports(std::move(*before), std::move(*after), *budgets);
  if (auto written = write_stdout(rendered(diff, options)); !written) return tl::unexpected(written.error());
  if (report::breached(diff.after)) return kExitBreached;
  return diff.differ() ? kExitFailure : kExitOk;
}

}  // namespace twtrace::app
