// SPDX-License-Identifier: Apache-2.0
// Runs the real twtrace as a black box, and reads its JSON.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace twtrace::test {

/// `twtrace -b --json -g pid -d DELAY --probe $TWTRACE_PROBE` in the namespaces of the test. The program is
/// $TWTRACE_BINARY, else the one of this build. Throws std::runtime_error, with its output, if it does not do what the
/// command line promises. Starting one ends the shared one, so that the shared one does not see what the test does.
class TwtraceRun {
 public:
  /// Starts it, and returns when it has written "ready". `delay`: seconds between snapshots.
  explicit TwtraceRun(const std::vector<std::string>& extra_arguments = {}, const std::string& delay = "0.2");

  /// Waits for a snapshot whose numbers were all taken after this call.
  nlohmann::json fresh();
  /// Waits for a snapshot that satisfies `condition`, and returns it. At the deadline, returns the last one.
  nlohmann::json wait_for(const std::function<bool(const nlohmann::json&)>& condition,
                          milliseconds deadline = kDefaultDeadline);
  /// Sends SIGINT or SIGTERM, waits for exit code 0 and returns the last snapshot.
  nlohmann::json stop(int signal = SIGINT);
  /// For signals other than the one that stops it.
  Subprocess& process() { return process_; }

 private:
  bool read_lines();

  Subprocess process_;
  std::size_t read_ = 0;     ///< bytes of its output up to the end of the last complete line
  std::uint64_t lines_ = 0;  ///< number of these lines
  std::string last_line_;
};

/// One run for many cases of this process, because attaching costs seconds in an emulated machine. A new run replaces
/// it after a number of calls: what it has seen makes its snapshots longer, and the kernel reuses inode numbers of
/// namespaces (NetnsSandbox). Call this once per case.
TwtraceRun& shared_twtrace();

/// Replaces it by a new run, for a case that must prepare something before the start.
TwtraceRun& restarted_twtrace();

/// Stops it, see TwtraceRun::stop(). The next case gets a new one.
nlohmann::json stop_shared_twtrace();

}  // namespace twtrace::test
