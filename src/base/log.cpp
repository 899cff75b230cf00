// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>

namespace twtrace::base {

void init_logging(int verbosity) {
  auto logger = std::make_shared<spdlog::logger>("twtrace", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("twtrace: %v");
  logger->set_level(verbosity >= 2 ? spdlog::level::debug : verbosity == 1 ? spdlog::level::info : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void log_error(const Error& error) {
  if (error.hint.empty()) {
    spdlog::error("{}", error.what);
  } else {
    spdlog::error("{}; {}", error.what, error.hint);
  }
}

}  // namespace twtrace::base
