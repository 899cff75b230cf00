// SPDX-License-Identifier: Apache-2.0
// Diagnostics go through spdlog, one line each.
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::base {

/// Writes text to where diagnostics go. Throws nothing.
using LogWriter = void (*)(std::string_view text);

/// Sends each line of the default spdlog logger to `write`, as "twtrace: message". `verbosity` 0 shows warnings and
/// errors, 1 adds info, 2 and above adds debug. Call it from main.
void init_logging(int verbosity, LogWriter write);

/// Logs an error and its hint on one line, and makes visible whatever a terminal would interpret. This is the only
/// place where an Error becomes text.
void log_error(const Error& error);

/// Holds log lines back while something else owns the screen, and writes the last 100 of them on destruction. Only one
/// may exist at a time.
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
