// SPDX-License-Identifier: Apache-2.0
#include "app/capture_report.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/stdout_writer.hpp"
#include "capture/reader.hpp"

namespace twtrace::app {

base::Result<Budgets> parse_budgets(const std::vector<std::string>& texts) {
  if (texts.empty()) return Budgets();
  return base::fail(base::ErrorCode::kUsage, "--fail-if: this build knows no budgets", "leave it out");
}

base::Result<bool> report_capture(const std::string& path, const Budgets& /*budgets*/, bool to_stderr) {
  auto reader = capture::Reader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  model::SnapshotPtr last;
  auto read = (*reader)->for_each([&](const model::SnapshotPtr& head, const model::Source&) { last = head; });
  if (!read) return tl::unexpected(read.error());
  const std::string text = fmt::format("{}: created {}, overflow {}\n", path, last ? last->totals.created() : 0,
                                       last ? last->totals.overflow() : 0);
  if (to_stderr) {
    std::fputs(text.c_str(), stderr);
  } else if (auto written = write_stdout(text); !written) {
    return tl::unexpected(written.error());
  }
  return false;
}

}  // namespace twtrace::app
