// SPDX-License-Identifier: Apache-2.0
// A running `twtrace capture` in a directory of its own.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/reader.hpp"
#include "support/environment.hpp"
#include "support/subprocess.hpp"
#include "support/twtrace_run.hpp"
#include "unit/kernel/temp_tree.hpp"

namespace twtrace::test {

/// Takes five samples per second, with short windows and the backend of $TWTRACE_PROBE.
class Capturing {
 public:
  Capturing(const std::vector<std::string>& options, const std::vector<std::string>& command)
      : process_(arguments(options, command)) {}

  Subprocess& process() { return process_; }
  std::string path() const { return tree_ / "t.db"; }
  const kernel::TempTree& tree() const { return tree_; }
  std::unique_ptr<capture::Reader> read() const {
    auto reader = capture::Reader::open(path());
    if (!reader) throw std::runtime_error(reader.error().what);
    return std::move(*reader);
  }

 private:
  std::vector<std::string> arguments(const std::vector<std::string>& options,
                                     const std::vector<std::string>& command) const {
    std::vector<std::string> argv = {
        twtrace_binary(), "capture", "-o", path(), "-d", "0.2", "--probe", environment("TWTRACE_PROBE", "auto")};
    for (const char* window : {"--before", "--after"}) {
      const bool given = std::count(options.begin(), options.end(), window) > 0;
      if (!command.empty() && !given) argv.insert(argv.end(), {window, "0.3"});
    }
    argv.insert(argv.end(), options.begin(), options.end());
    if (!command.empty()) argv.emplace_back("--");
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
  }

  kernel::TempTree tree_;
  Subprocess process_;
};

/// A shell script that prints "begun", and waits for a file "go" in `directory`.
inline std::vector<std::string> held_script(const std::string& then) {
  return {"sh", "-c", "echo begun; while [ ! -e \"${TWTRACE_CAPTURE%/*}/go\" ]; do sleep 0.05; done; " + then};
}

}  // namespace twtrace::test
