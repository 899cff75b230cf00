// SPDX-License-Identifier: Apache-2.0
#include "app/capture_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "app/capture_progress.hpp"
#include "app/color.hpp"
#include "app/netns_option.hpp"
#include "app/open_capture.hpp"
#include "app/streams.hpp"
#include "base/clock.hpp"
#include "capture/reader.hpp"
#include "output/report_text.hpp"

namespace twtrace::app {
namespace {

/// Tells on a terminal how far it is.
base::Result<report::Report> build(model::Recording& recording, const std::string& path, const BudgetOptions& budgets,
                                   const report::Selection& selection, report::Purpose purpose) {
  const base::SystemClock clock;
  ReadingProgress reading(recording, path, clock, show_status);
  auto built = report::build_report(reading, budgets.budgets, budgets.partial, selection, purpose);
  clear_status();
  return built;
}

/// Empty if the capture has no namespace that --netns asks for.
base::Result<std::optional<report::Report>> read(const std::string& path, const BudgetOptions& budgets,
                                                 const FilterOptions& filter, report::Purpose purpose) {
  auto reader = open_capture(path);
  if (!reader) return tl::unexpected(reader.error());
  const auto netns = netns_if_in_capture(filter.netns, (*reader)->info());
  if (!netns) return tl::unexpected(netns.error());
  if (!*netns) return std::nullopt;
  const auto narrowed = report::narrowed(budgets.budgets, filter.budget_labels(**netns));
  if (!narrowed) return tl::unexpected(narrowed.error());
  report::Selection selection{filter.selector(), filter.as_typed};
  selection.selector.add(**netns);
  return build(**reader, path, {*narrowed, budgets.partial}, selection, purpose);
}

}  // namespace

base::Result<report::Report> read_report(const std::string& path, const BudgetOptions& budgets,
                                         const FilterOptions& filter, report::Purpose purpose) {
  auto report = read(path, budgets, filter, purpose);
  if (!report) return tl::unexpected(report.error());
  if (!*report) return tl::unexpected(no_such_netns(filter.netns, path));
  return std::move(**report);
}

base::Result<OneOfSeveral> read_report_of_several(const std::string& path, const BudgetOptions& budgets,
                                                  const FilterOptions& filter) {
  auto report = read(path, budgets, filter, report::Purpose::kReport);
  if (!report) return tl::unexpected(report.error());
  if (*report) return OneOfSeveral{std::move(*report), {}};
  const auto reader = open_capture(path);
  if (!reader) return tl::unexpected(reader.error());
  const auto whole = build(**reader, path, {{}, budgets.partial}, {}, report::Purpose::kReport);
  if (!whole) return tl::unexpected(whole.error());
  const auto failed = std::find_if(whole->verdicts.begin(), whole->verdicts.end(),
                                   [](const report::Verdict& verdict) { return verdict.fails(); });
  if (failed == whole->verdicts.end()) return OneOfSeveral{};
  return OneOfSeveral{{}, fmt::format("FAIL {}: {}", failed->budget.text, failed->words)};
}

base::Result<bool> report_capture(const std::string& path, report::Partial partial, const report::Selection& selection,
                                  bool to_stderr) {
  const auto reader = capture::Reader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  const auto built = build(**reader, path, {{}, partial}, selection, report::Purpose::kReport);
  if (!built) return tl::unexpected(built.error());
  const std::string text =
      output::report_text(*built, color_on(to_stderr ? STDERR_FILENO : STDOUT_FILENO, ColorWhen::kAuto));
  if (to_stderr) {
    write_stderr(text);
  } else if (auto written = print(text); !written) {
    return tl::unexpected(written.error());
  }
  return report::breached(*built);
}

}  // namespace twtrace::app
