// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include "base/escape.hpp"

namespace twtrace::base {

void init_logging(int verbosity) {
  auto logger = std::make_shared<spdlog::logger>("twtrace", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("twtrace: %v");
  logger->set_level(verbosity >= 2 ? spdlog::level::debug : verbosity == 1 ? spdlog::level::info : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void log_error(const Error& error) {
  const std::string text = error.hint.empty() ? error.what : error.what + "; " + error.hint;
  spdlog::error("{}", sanitize_terminal(text));  // what the user typed and what files are called may be in it
}

}  // namespace twtrace::base
