// SPDX-License-Identifier: Apache-2.0
// Turns the command line into a request.
#pragma once

#include <string>
#include <vector>

#include "app/command.hpp"
#include "base/result.hpp"

namespace twtrace::app {

/// What the user asked for.
struct Request {
  int verbosity = 0;  ///< the number of -v
  Run run;
};

/// Reads the arguments after the program's name. kUsage says what is wrong and what to type instead. Nothing is started
/// or opened.
base::Result<Request> parse_command_line(const std::vector<std::string>& arguments);

/// What a command takes; null: what twtrace takes without one. To look at only: the functions in it must not be called.
OptionList options_of(const Command* command);

/// The help of a command; null: the help of twtrace.
std::string help_text(const Command* command);

}  // namespace twtrace::app
