// SPDX-License-Identifier: Apache-2.0
// All of main.
#pragma once

namespace twtrace::app {

/// Parses, runs and reports. Returns the exit code.
int run(int argc, const char* const* argv);

}  // namespace twtrace::app
