// SPDX-License-Identifier: Apache-2.0
#include "app/capture_report.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "app/stdout_writer.hpp"
#include "capture/reader.hpp"
#include "output/report_text.hpp"

namespace twtrace::app {
namespace {

output::Color color_for(int stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  return wanted && ::isatty(stream) != 0 ? output::Color::kAlways : output::Color::kNever;
}

}  // namespace

base::Result<std::vector<report::Budget>> parse_budgets(const std::vector<std::string>& texts) {
  std::vector<report::Budget> budgets;
  for (const std::string& text : texts) {
    auto budget = report::parse_budget(text);
    if (!budget) return base::prepend(budget.error(), "--fail-if");
    budgets.push_back(std::move(*budget));
  }
  return budgets;
}

base::Result<report::Report> read_report(const std::string& path, const std::vector<report::Budget>& budgets) {
  auto reader = capture::Reader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  auto built = report::build_report(**reader, budgets);
  if (!built) return base::prepend(built.error(), path);
  return built;
}

base::Result<bool> report_capture(const std::string& path, const std::vector<report::Budget>& budgets, bool to_stderr) {
  const auto built = read_report(path, budgets);
  if (!built) return tl::unexpected(built.error());
  const std::string text = output::report_text(*built, color_for(to_stderr ? STDERR_FILENO : STDOUT_FILENO));
  if (to_stderr) {
    std::fputs(text.c_str(), stderr);
  } else if (auto written = write_stdout(text); !written) {
    return tl::unexpected(written.error());
  }
  return report::breached(*built);
}

}  // namespace twtrace::app
