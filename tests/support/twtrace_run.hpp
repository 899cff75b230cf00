// SPDX-License-Identifier: Apache-2.0
// The real twtrace as a black box: started, waited for, stopped, its JSON read.
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
/// $TWTRACE_BINARY, else the one of this build. Throws std::runtime_error, with what it said, when it does not do what
/// the command line promises. Starting one ends the shared one, so that what the test does to its surroundings stays
/// between the two of them.
class TwtraceRun {
 public:
  /// Starts it and returns when it has written "ready". `delay`: seconds between snapshots.
  explicit TwtraceRun(const std::vector<std::string>& extra_arguments = {}, const std::string& delay = "0.2");

  /// Waits for a snapshot of which every number was taken after this call.
  nlohmann::json fresh();
  /// Waits for a snapshot that satisfies `condition` and returns it, or the last one at the deadline.
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
  std::uint64_t lines_ = 0;  ///< how many that were
  std::string last_line_;
};

/// One run for many cases of this process: attaching costs seconds in an emulated machine. Replaced by a new one after
/// a number of calls, because what it has seen makes its snapshots longer, and because inode numbers of namespaces come
/// again (NetnsSandbox). Ask once per case.
TwtraceRun& shared_twtrace();

/// A new one in its place: for a case that has prepared what has to be there before the start.
TwtraceRun& restarted_twtrace();

/// Stops it, see TwtraceRun::stop(). The next case gets a new one.
nlohmann::json stop_shared_twtrace();

}  // namespace twtrace::test
