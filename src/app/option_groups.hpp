// SPDX-License-Identifier: Apache-2.0
// Options that several commands share. A command has the groups that it takes, and lets each declare itself. Values are
// checked when they are read.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "app/color.hpp"
#include "app/option_list.hpp"
#include "app/option_values.hpp"
#include "output/style.hpp"
#include "report/report.hpp"
#include "trace/session.hpp"
#include "view/view.hpp"

namespace twtrace::app {

/// -d: seconds between samples.
void declare_delay(OptionList& list, double& delay_s);

/// -d and -n.
struct PaceOptions {
  double delay_s = 1;
  std::uint64_t iterations = 0;  ///< 0: until interrupted

  void declare(OptionList& list);
  /// The same options as words: [SECONDS [N]].
  void declare_words(OptionList& list);
};

/// How to trace.
struct TracingOptions {
  trace::SessionOptions session;
  bool keep_privileges = false;  ///< after the start

  void declare(OptionList& list);
  /// Only the options that choose how programs are loaded.
  void declare_loading(OptionList& list);
  /// -L and -D look like filters to the user, but the kernel side applies them.
  void declare_ports(OptionList& list);
  /// The rows and events that they select.
  view::Selector ports() const;
};

/// Filters: whose buckets are shown.
struct FilterOptions {
  view::Selector named;               ///< -p, --comm and --service
  std::vector<report::Label> labels;  ///< --comm and --service as labels of budgets
  std::string as_typed;               ///< "--service web --netns blue": what chose by name
  std::string netns;                  ///< as typed, see netns_option.hpp; empty: not given, means all
  bool of_capture = false;            ///< --netns chooses from a file, which has ids; set it before declare()
  bool only_ipv4 = false;
  bool only_ipv6 = false;

  void declare(OptionList& list);
  /// --comm, --service and --netns alone, for reports.
  void declare_names(OptionList& list);
  /// Everything except the namespace.
  view::Selector selector() const;
  /// Limits budgets to what was named, and to the namespaces of `chosen`, which is what `netns` means.
  std::vector<report::Label> budget_labels(const view::Selector& chosen) const;
};

/// -g, -s and -r.
struct RowOptions {
  model::Group group = model::Group::kProcess;
  view::SortColumn sort = view::SortColumn::kCreatedRate;
  std::size_t max_rows = 0;  ///< 0: all

  void declare(OptionList& list);
};

/// -o, --json and --color. The first enumerator of `Format` is the default, and one is kJson.
template <class Format>
struct OutputOptions {
  Format format{};
  ColorWhen color_when = ColorWhen::kAuto;

  output::Color color() const { return color_on(STDOUT_FILENO, color_when); }

  void declare(OptionList& list, const std::string& about, std::vector<Named<Format>> formats) {
    list.section("Output");
    list.option("-o,--output", "FORMAT", about, one_of(format, std::move(formats)));
    list.flag("--json", "same as -o json", [this] { format = Format::kJson; });
    list.option(
        "--color", "WHEN", "auto (default), always or never",
        one_of(color_when, {{"auto", ColorWhen::kAuto}, {"always", ColorWhen::kAlways}, {"never", ColorWhen::kNever}}));
  }
};

/// -o of commands that show tables.
enum class TableFormat { kTable, kWide, kJson, kCsv, kOpenMetrics };

/// The options of commands that show tables, of a running trace or of a capture.
struct TableOptions {
  bool batch = false;
  OutputOptions<TableFormat> output;
  PaceOptions pace;
  RowOptions rows;
  FilterOptions filter;

  void declare(OptionList& list);
  /// The view that they choose. `resolved` is the filter with its namespace.
  view::View view_with(view::Selector resolved) const;
};

/// --fail-if.
struct BudgetOptions {
  std::vector<report::Budget> budgets;
  report::Partial partial = report::Partial::kFails;

  void declare(OptionList& list);
};

/// For commands that print lines of text or JSON.
enum class LineFormat { kTable, kJson };
void declare_line_output(OptionList& list, OutputOptions<LineFormat>& output);

/// For commands that print a report on captures.
enum class ReportFormat { kText, kMarkdown, kJson, kCsv, kHtml };
void declare_report_output(OptionList& list, OutputOptions<ReportFormat>& output);

}  // namespace twtrace::app
