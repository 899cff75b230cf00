// SPDX-License-Identifier: Apache-2.0
#include "app/run.hpp"

#include <string>
#include <vector>

#include "app/command_line.hpp"
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
  base::init_logging(request->verbosity);
  return request->run(inherited);
}

}  // namespace

int run(int argc, const char* const* argv) {
  const Inherited inherited = Inherited::take();
  prepare_standard_streams();
  base::init_logging(0);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto code = parse_and_run(arguments, inherited);
  if (code) return *code;
  if (code.error().code != base::ErrorCode::kReaderGone) base::log_error(code.error());
  return exit_code(code.error());
}

}  // namespace twtrace::app
