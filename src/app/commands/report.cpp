// SPDX-License-Identifier: Apache-2.0
// `twtrace report`: summarizes a capture, or those of several hosts.
#include <sys/stat.h>

#include <set>
#include <utility>

#include "app/after_start.hpp"
#include "app/capture_report.hpp"
#include "app/command.hpp"
#include "app/netns_option.hpp"
#include "app/option_groups.hpp"
#include "app/streams.hpp"
#include "base/log.hpp"
#include "output/hosts_formats.hpp"
#include "output/report_csv.hpp"
#include "output/report_html.hpp"
#include "output/report_json.hpp"
#include "output/report_markdown.hpp"
#include "output/report_text.hpp"

namespace twtrace::app {
namespace {

struct ReportCommand {
  std::vector<std::string> files;
  OutputOptions<ReportFormat> output;
  BudgetOptions budgets;
  FilterOptions filter;

  void declare(OptionList& list);
  base::Result<int> run() const;
  base::Result<int> run_on_several() const;
  base::Result<int> run_on_one(const std::string& file) const;
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

std::string rendered(const report::Hosts& hosts, const OutputOptions<ReportFormat>& output) {
  switch (output.format) {
    case ReportFormat::kText:
      return output::hosts_text(hosts, output.color());
    case ReportFormat::kMarkdown:
      return output::hosts_markdown(hosts);
    case ReportFormat::kJson:
      return output::hosts_json(hosts) + "\n";
    case ReportFormat::kCsv:
      return output::hosts_csv(hosts);
    case ReportFormat::kHtml:
      return output::hosts_html(hosts);
  }
  return {};
}

/// A file that is the same as one before it, by whatever name; null if all are different.
const std::string* given_twice(const std::vector<std::string>& files) {
  std::set<std::string> names;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const std::string& file : files) {
    struct stat found {};
    const bool is_there = ::stat(file.c_str(), &found) == 0;
    if (!names.insert(file).second || (is_there && !seen.insert({found.st_dev, found.st_ino}).second)) return &file;
  }
  return nullptr;
}

void ReportCommand::declare(OptionList& list) {
  list.repeated_word("FILE", "the capture (default twtrace.db), or one of each host", app::files(files));
  declare_report_output(list, output);
  budgets.declare(list);
  list.section("What is reported");
  filter.of_capture = true;
  filter.declare_names(list);
}

base::Result<int> ReportCommand::run() const {
  if (auto dropped = keep_only({trace::Duty::kReadForOthers}); !dropped) return tl::unexpected(dropped.error());
  if (files.size() < 2) return run_on_one(files.empty() ? "twtrace.db" : files.front());
  if (const std::string* twice = given_twice(files)) {
    return base::fail(base::ErrorCode::kUsage, "a capture is given twice: " + *twice,
                      "give the file of each host once");
  }
  return run_on_several();
}

/// A capture that cannot be read must not hide the others, and must not pass.
base::Result<int> ReportCommand::run_on_several() const {
  std::vector<report::Host> captures;
  std::vector<report::LeftOut> left_out;
  std::vector<base::Error> unread;
  for (const std::string& file : files) {
    auto read = read_report_of_several(file, budgets, filter);
    if (read && read->report) {
      captures.push_back({{}, file, std::move(*read->report)});
    } else if (read && read->failed_budget.empty()) {
      left_out.push_back({file, no_such_netns(filter.netns).what});
    } else if (read) {
      const std::string fails = "; but of the whole capture: " + read->failed_budget;
      left_out.push_back({file, no_such_netns(filter.netns).what + fails, false, true});
    } else {
      unread.push_back(read.error());
      left_out.push_back({file, read.error().what, true});
    }
  }
  if (captures.empty()) return tl::unexpected(unread.empty() ? no_such_netns(filter.netns) : unread.front());
  for (const base::Error& error : unread) base::log_error(error);
  const report::Hosts hosts = report::combine(std::move(captures), std::move(left_out));
  if (auto written = print(rendered(hosts, output)); !written) return tl::unexpected(written.error());
  if (report::breached(hosts)) return kExitBreached;
  return unread.empty() ? kExitOk : kExitFailure;
}

base::Result<int> ReportCommand::run_on_one(const std::string& file) const {
  const auto report = read_report(file, budgets, filter);
  if (!report) return tl::unexpected(report.error());
  if (auto written = print(rendered(*report, output)); !written) return tl::unexpected(written.error());
  return report::breached(*report) ? kExitBreached : kExitOk;
}

}  // namespace

extern const Command kReport = {"report", "summarize a capture, or those of several hosts", prepare<ReportCommand>};

}  // namespace twtrace::app
