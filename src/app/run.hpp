// SPDX-License-Identifier: Apache-2.0
// All of main.
#pragma once

namespace twtrace::app {

/// Parses the command line, runs the command, and reports errors. Returns the exit code.
int run(int argc, const char* const* argv);

}  // namespace twtrace::app
