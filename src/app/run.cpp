// SPDX-License-Identifier: Apache-2.0
#include "app/run.hpp"

#include <string>
#include <vector>

#include "app/command_line.hpp"
#include "app/signals.hpp"
#include "app/streams.hpp"
#include "base/log.hpp"

namespace twtrace::app {
namespace {

int exit_code(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kReaderGone:
      return kExitOk;
    case base::ErrorCode::kUsage:
      return kExitUsage;
    case base::ErrorCode::kUnsupported:
    case base::ErrorCode::kPermission:
      return kExitUnsupported;
    default:
      return kExitFailure;
  }
}

base::Result<int> parse_and_run(const std::vector<std::string>& arguments, const Inherited& inherited) {
  const auto request = parse_command_line(arguments);
  if (!request) return tl::unexpected(request.error());
  base::init_logging(request->verbosity, write_stderr);
  return request->run(inherited);
}

}  // namespace

int run(int argc, const char* const* argv) {
  const Inherited inherited = Inherited::take();
  prepare_signals();
  prepare_standard_streams();
  base::init_logging(0, write_stderr);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto result = parse_and_run(arguments, inherited);
  if (!result && result.error().code != base::ErrorCode::kReaderGone) base::log_error(result.error());
  die_if_output_was_given_up();
  return result ? *result : exit_code(result.error());
}

}  // namespace twtrace::app
