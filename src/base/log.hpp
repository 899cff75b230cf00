// SPDX-License-Identifier: Apache-2.0
// Diagnostics go to stderr through spdlog, one line each.
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

#include "base/result.hpp"

namespace twtrace::base {

/// Sends the default spdlog logger to stderr as "twtrace: message". `verbosity` 0 shows warnings and errors, 1 adds
/// info, 2 and above adds debug. Call once, from main.
void init_logging(int verbosity);

/// Logs an error and its hint on one line, with everything that a terminal would obey made visible. The one place where
/// an Error becomes text.
void log_error(const Error& error);

/// Keeps log lines back while the screen belongs to somebody else, and writes them to stderr on destruction: the last
/// 100 of them. One at a time.
class LogHold {
 public:
  LogHold();
  LogHold(const LogHold&) = delete;
  LogHold& operator=(const LogHold&) = delete;
  ~LogHold();

  /// The newest line since the last call, made visible; empty when there is none.
  std::string newest();

 private:
  struct Lines;
  std::shared_ptr<Lines> lines_;
};

}  // namespace twtrace::base
