// SPDX-License-Identifier: Apache-2.0
// `twtrace report`: summarizes a capture.
#include <fmt/format.h>

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

/// The namespace is one of the file: those of this host mean nothing to it.
base::Result<report::Selection> selection_of(const FilterOptions& filter) {
  report::Selection selection{filter.selector(), filter.as_typed};
  if (filter.netns.empty() || filter.netns == "all") return selection;
  auto term = view::make_term("netns", view::Op::kMatch, filter.netns, view::Grammar::kFilter);
  if (!term) return tl::unexpected(term.error());
  selection.selector.add(std::move(*term));
  return selection;
}

base::Result<int> ReportCommand::run() const {
  const auto selection = selection_of(filter);
  if (!selection) return tl::unexpected(selection.error());
  const auto report = read_report(file, budgets, *selection);
  if (!report) return tl::unexpected(report.error());
  if (report->samples != 0 && report->namespaces.empty() && selection->selector.asks(view::Key::kNetns)) {
    return base::fail(base::ErrorCode::kUsage,
                      fmt::format("--netns: no namespace of the file is called \"{}\"", filter.netns),
                      "twtrace replay -b -g netns -n 1 FILE lists them; give a name or an inode number");
  }
  if (auto written = print(rendered(*report, output)); !written) return tl::unexpected(written.error());
  return report::breached(*report) ? kExitBreached : kExitOk;
}

}  // namespace

extern const Command kReport = {"report", "summarize a capture: budgets, culprits, findings", prepare<ReportCommand>};

}  // namespace twtrace::app
