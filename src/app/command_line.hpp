// SPDX-License-Identifier: Apache-2.0
// From the command line to what is to be done.
#pragma once

#include <string>
#include <vector>

#include "app/command.hpp"
#include "base/result.hpp"

namespace twtrace::app {

/// What the user asked for.
struct Request {
  int verbosity = 0;  ///< how often -v was given
  Run run;
};

/// Reads what follows the program's name. kUsage says what is wrong and what to type instead; nothing has been started
/// or opened then.
base::Result<Request> parse_command_line(const std::vector<std::string>& arguments);

/// The help of a command; null: that of twtrace.
std::string help_text(const Command* command);

}  // namespace twtrace::app
