// SPDX-License-Identifier: Apache-2.0
// The real twtrace as a black box: started, waited for, stopped, its JSON read.
#pragma once

#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace twtrace::test {

/// `twtrace -b --json -g pid -d DELAY --probe $TWTRACE_PROBE` in the namespaces of the test. The program is
/// $TWTRACE_BINARY, else the one of this build. Throws std::runtime_error, with what it said, when it does not do what
/// the command line promises.
class TwtraceRun {
 public:
  /// Starts it and returns when it has written "ready". `delay`: seconds between snapshots.
  explicit TwtraceRun(const std::vector<std::string>& extra_arguments = {}, const std::string& delay = "0.5");

  /// The last complete snapshot; null before the first.
  nlohmann::json snapshot() const;
  /// Waits for a snapshot that satisfies `condition` and returns it, or the last one at the deadline.
  nlohmann::json wait_for(const std::function<bool(const nlohmann::json&)>& condition,
                          milliseconds deadline = milliseconds(20000)) const;
  /// Sends SIGINT or SIGTERM, waits for exit code 0 and returns the last snapshot.
  nlohmann::json stop(int signal = SIGINT);
  /// For signals other than the one that stops it.
  Subprocess& process() { return process_; }

 private:
  Subprocess process_;
};

}  // namespace twtrace::test
