// SPDX-License-Identifier: Apache-2.0
// --log and --journal: the logs that a capture follows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/option_list.hpp"
#include "base/result.hpp"
#include "model/logs.hpp"

namespace twtrace::app {

/// "NAME[=REGEX]". Both a name and an expression may hold "=": the name is the longest part before one that `is_there`,
/// or all of it; without such a part, the shortest. kUsage without a name, and for an expression that cannot be used.
base::Result<model::Log> parse_log(model::Log::Kind kind, const std::string& typed,
                                   const std::function<bool(const std::string& name)>& is_there);

/// The logs that were named on the command line, in that order.
struct LogOptions {
  std::vector<model::Log> logs;

  /// The options, and the check.
  void declare(OptionList& list);
  /// Checks what can be wrong before anything starts: too many logs, one that is given twice, a file that cannot be
  /// followed, no journalctl.
  base::Result<void> check() const;
  /// No log is the file `capture`, or one that SQLite keeps beside it: every line found there would be written there
  /// again.
  base::Result<void> check_not_of_capture(const std::string& capture) const;
};

}  // namespace twtrace::app
