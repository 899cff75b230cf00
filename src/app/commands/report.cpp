// SPDX-License-Identifier: Apache-2.0
// `twtrace report`: what a capture comes to.
#include "app/capture_report.hpp"
#include "app/command.hpp"
#include "app/stdout_writer.hpp"
#include "output/report_csv.hpp"
#include "output/report_html.hpp"
#include "output/report_json.hpp"
#include "output/report_markdown.hpp"
#include "output/report_text.hpp"

namespace twtrace::app {
namespace {

std::string rendered(const report::Report& report, const Options& options) {
  switch (options.report.format) {
    case ReportFormat::kText:
      return output::report_text(report, options.color);
    case ReportFormat::kMarkdown:
      return output::report_markdown(report);
    case ReportFormat::kJson:
      return output::report_json(report) + "\n";
    case ReportFormat::kCsv:
      return output::report_csv(report);
    case ReportFormat::kHtml:
      return output::report_html(report);
  }
  return {};
}

}  // namespace

base::Result<int> run_report(const Options& options) {
  const auto budgets = parse_budgets(options.report.budgets);
  if (!budgets) return tl::unexpected(budgets.error());
  const auto report = read_report(options.report.file, *budgets);
  if (!report) return tl::unexpected(report.error());
  if (auto written = write_stdout(rendered(*report, options)); !written) return tl::unexpected(written.error());
  return report::breached(*report) ? kExitBreached : kExitOk;
}

}  // namespace twtrace::app
