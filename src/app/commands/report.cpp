// SPDX-License-Identifier: Apache-2.0
// `twtrace report`: summarizes a capture.
#include "app/after_start.hpp"
#include "app/capture_report.hpp"
#include "app/command.hpp"
#include "app/option_groups.hpp"
#include "app/streams.hpp"
#include "output/report_csv.hpp"
#include "output/report_html.hpp"
#include "output/report_json.hpp"
#include "output/report_markdown.hpp"
#include "output/report_text.hpp"

namespace twtrace::app {
namespace {

struct ReportCommand {
  std::string file = "twtrace.db";
  OutputOptions<ReportFormat> output;
  BudgetOptions budgets;
  FilterOptions filter;

  void declare(OptionList& list);
  base::Result<int> run() const;
};

std::string rendered(const report::Report& report, const OutputOptions<ReportFormat>& output) {
  switch (output.format) {
    case ReportFormat::kText:
      return output::report_text(report, output.color());
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

void ReportCommand::declare(OptionList& list) {
  list.word("FILE", "the capture (default twtrace.db)", app::file(file));
  declare_report_output(list, output);
  budgets.declare(list);
  list.section("What is reported");
  filter.declare_names(list);
}

base::Result<int> ReportCommand::run() const {
  if (auto dropped = keep_only({trace::Duty::kReadForOthers}); !dropped) return tl::unexpected(dropped.error());
  const auto report = read_report(file, budgets, filter);
  if (!report) return tl::unexpected(report.error());
  if (auto written = print(rendered(*report, output)); !written) return tl::unexpected(written.error());
  return report::breached(*report) ? kExitBreached : kExitOk;
}

}  // namespace

extern const Command kReport = {"report", "summarize a capture: budgets, culprits, findings", prepare<ReportCommand>};

}  // namespace twtrace::app
