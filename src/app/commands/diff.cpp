// SPDX-License-Identifier: Apache-2.0
// `twtrace diff`: what changed between two captures.
#include "app/after_start.hpp"
#include "app/capture_report.hpp"
#include "app/command.hpp"
#include "app/netns_option.hpp"
#include "app/option_groups.hpp"
#include "app/streams.hpp"
#include "output/diff_formats.hpp"
#include "output/report_csv.hpp"

namespace twtrace::app {
namespace {

struct DiffCommand {
  std::string before;
  std::string after;
  std::optional<double> threshold;  ///< percent
  OutputOptions<ReportFormat> output;
  BudgetOptions budgets;
  FilterOptions filter;

  void declare(OptionList& list);
  base::Result<int> run() const;
};

std::string rendered(const report::Diff& diff, const OutputOptions<ReportFormat>& output) {
  switch (output.format) {
    case ReportFormat::kText:
      return output::diff_text(diff, output.color());
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

void DiffCommand::declare(OptionList& list) {
  list.usage = "[BEFORE AFTER]";
  list.word("BEFORE", "the earlier capture (default twtrace.db.old)", file(before));
  list.word("AFTER", "the later capture (default twtrace.db)", file(after));
  declare_report_output(list, output);
  list.option("--threshold", "N%", "ignore rows that change less than this, as in 10%", percent(threshold));
  budgets.declare(list);
  list.section("What is compared");
  filter.of_capture = true;
  filter.declare_names(list);
  list.check([this]() -> base::Result<void> {
    if (before.empty() == after.empty()) return {};
    return base::fail(base::ErrorCode::kUsage, "diff needs two captures, or none",
                      "type twtrace diff BEFORE AFTER; without both it compares twtrace.db.old and twtrace.db");
  });
}

base::Result<int> DiffCommand::run() const {
  if (auto dropped = keep_only({trace::Duty::kReadForOthers}); !dropped) return tl::unexpected(dropped.error());
  auto first = read_report(before.empty() ? "twtrace.db.old" : before, {}, filter, report::Purpose::kDiff);
  if (!first) return tl::unexpected(first.error());
  auto second = read_report(after.empty() ? "twtrace.db" : after, {}, filter, report::Purpose::kDiff);
  if (!second) return tl::unexpected(second.error());
  const auto netns = netns_of_capture(filter.netns, second->info);
  if (!netns) return tl::unexpected(netns.error());
  const auto narrowed = report::narrowed(budgets.budgets, filter.budget_labels(*netns));
  if (!narrowed) return tl::unexpected(narrowed.error());
  const report::Diff diff =
      report::diff_reports(std::move(*first), std::move(*second), *narrowed, budgets.partial, threshold);
  if (auto written = print(rendered(diff, output)); !written) return tl::unexpected(written.error());
  if (report::breached(diff.after)) return kExitBreached;
  return diff.differ() || !diff.unknown.empty() ? kExitFailure : kExitOk;
}

}  // namespace

extern const Command kDiff = {"diff", "compare two captures", prepare<DiffCommand>};

}  // namespace twtrace::app
