// SPDX-License-Identifier: Apache-2.0
// The commands. Each runs to its end and returns the exit code of docs: 0, 1, 2, 77 or 99, and those of capture.
#pragma once

#include <functional>

#include "app/command_process.hpp"
#include "app/options.hpp"
#include "base/result.hpp"

namespace twtrace::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnsupported = 77;
inline constexpr int kExitBreached = 99;  ///< a --fail-if budget

/// The exit code of an error.
int exit_code(const base::Error& error);

/// `when_counting` is called once, when counting has begun.
base::Result<int> run_top(const Options& asked, const std::function<void()>& when_counting = {});
base::Result<int> run_events(const Options& asked);
/// `inherited`: what this process was started with.
base::Result<int> run_capture(const Options& options, const Inherited& inherited);
base::Result<int> run_mark(const Options& options);
base::Result<int> run_report(const Options& options);
/// kExitFailure when the captures differ.
base::Result<int> run_diff(const Options& options);
base::Result<int> run_replay(const Options& asked);
base::Result<int> run_doctor(const Options& options);
base::Result<int> run_demo(const Options& asked);

/// Parses, runs and reports: all of main.
int run(int argc, const char* const* argv);

}  // namespace twtrace::app
