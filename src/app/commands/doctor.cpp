// SPDX-License-Identifier: Apache-2.0
// `twtrace doctor`: checks whether twtrace can run here, and what is wrong with this host's settings.
#include "app/after_start.hpp"
#include "app/command.hpp"
#include "app/option_groups.hpp"
#include "app/streams.hpp"
#include "output/doctor_json.hpp"
#include "output/doctor_text.hpp"
#include "phrases/doctor_warnings.hpp"
#include "trace/doctor_checks.hpp"

namespace twtrace::app {
namespace {

struct Doctor {
  OutputOptions<LineFormat> output;
  TracingOptions tracing;

  void declare(OptionList& list) {
    declare_line_output(list, output);
    tracing.declare_loading(list);
  }
  base::Result<int> run() const;
};

base::Result<int> Doctor::run() const {
  auto diagnosis = trace::examine(tracing.session);
  if (!diagnosis) return tl::unexpected(diagnosis.error());
  if (auto dropped = drop_privileges(tracing, reading_only()); !dropped) return tl::unexpected(dropped.error());
  diagnosis->report.warnings = phrases::doctor_warnings(diagnosis->report.namespaces);
  const std::string text = output.format == LineFormat::kJson ? output::doctor_json(diagnosis->report) + "\n"
                                                              : output::doctor_text(diagnosis->report, output.color());
  if (auto written = print(text); !written) return tl::unexpected(written.error());
  if (diagnosis->obstacle) return tl::unexpected(*diagnosis->obstacle);
  return kExitOk;
}

}  // namespace

extern const Command kDoctor = {"doctor", "check whether twtrace can run here; show every limit", prepare<Doctor>};

}  // namespace twtrace::app
