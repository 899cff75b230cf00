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

/// Sends the default spdlog logger to `write`, a line "twtrace: message" at a time. `verbosity` 0 shows warnings and
/// errors, 1 adds info, 2 and above adds debug. Call it from main.
void init_logging(int verbosity, LogWriter write);

/// Logs an error and its hint on one line, with everything that a terminal would obey made visible. The one place where
/// an Error becomes text.
void log_error(const Error& error);

/// Keeps log lines back while the screen belongs to somebody else, and writes the last 100 of them on destruction. One
/// at a time.
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
