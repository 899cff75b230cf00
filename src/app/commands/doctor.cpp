// SPDX-License-Identifier: Apache-2.0
// `twtrace doctor`: whether twtrace can run here, and what is wrong with this host's settings.
#include "app/command.hpp"
#include "app/stdout_writer.hpp"
#include "output/doctor_json.hpp"
#include "output/doctor_text.hpp"
#include "phrases/doctor_warnings.hpp"
#include "trace/doctor_checks.hpp"

namespace twtrace::app {

base::Result<int> run_doctor(const Options& options) {
  if (options.format == Format::kCsv) {
    return base::fail(base::ErrorCode::kUsage, "the doctor's report cannot be written as csv", "use --json");
  }
  auto diagnosis = trace::examine(options.session);
  if (!diagnosis) return tl::unexpected(diagnosis.error());
  diagnosis->report.warnings = phrases::doctor_warnings(diagnosis->report.namespaces);
  const std::string text = options.format == Format::kJson ? output::doctor_json(diagnosis->report) + "\n"
                                                           : output::doctor_text(diagnosis->report, options.color);
  if (auto written = write_stdout(text); !written) return tl::unexpected(written.error());
  if (diagnosis->obstacle) return tl::unexpected(*diagnosis->obstacle);
  return kExitOk;
}

}  // namespace twtrace::app
