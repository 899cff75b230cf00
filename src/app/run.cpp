// SPDX-License-Identifier: Apache-2.0
#include "app/command.hpp"
#include "app/stdout_writer.hpp"
#include "base/log.hpp"

namespace twtrace::app {
namespace {

base::Result<int> dispatch(const Options& options, const Inherited& inherited) {
  if (options.show_help_only) {
    if (auto written = write_stdout(options.help_text); !written) return tl::unexpected(written.error());
    return kExitOk;
  }
  switch (options.command) {
    case Command::kTop:
      return run_top(options);
    case Command::kEvents:
      return run_events(options);
    case Command::kCapture:
      return run_capture(options, inherited);
    case Command::kMark:
      return run_mark(options);
    case Command::kReport:
      return run_report(options);
    case Command::kDiff:
      return run_diff(options);
    case Command::kReplay:
      return run_replay(options);
    case Command::kDoctor:
      return run_doctor(options);
    case Command::kDemo:
      return run_demo(options);
  }
  return kExitUsage;
}

}  // namespace

int exit_code(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kUsage:
      return kExitUsage;
    case base::ErrorCode::kUnsupported:
    case base::ErrorCode::kPermission:
      return kExitUnsupported;
    default:
      return kExitFailure;
  }
}

int run(int argc, const char* const* argv) {
  const Inherited inherited = Inherited::take();
  prepare_standard_streams();
  base::init_logging(0);
  auto options = parse_options(argc, argv);
  if (options) {
    base::init_logging(options->verbosity);
    auto code = dispatch(*options, inherited);
    if (code) return *code;
    options = tl::unexpected(code.error());
  }
  base::log_error(options.error());
  return exit_code(options.error());
}

}  // namespace twtrace::app
