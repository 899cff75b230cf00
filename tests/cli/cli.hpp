// SPDX-License-Identifier: Apache-2.0
// Runs the twtrace binary as a user does: takes arguments, returns exit code, output and errors.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace twtrace::test {

using Arguments = std::vector<std::string>;

/// How a run ended. `code` is 128 + the signal's number if a signal killed it, and -1 if it did not end in time.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

/// A description for INFO().
std::string describe(const Outcome& outcome);

/// Runs twtrace to the end.
Outcome run_twtrace(const Arguments& arguments);
/// Runs a program, looked up in PATH, to the end.
Outcome run_program(const Arguments& argv);
/// Runs twtrace with a pipe as standard output. Its reader has already gone.
Outcome run_unread(const Arguments& arguments);
/// Runs `sh -c SCRIPT` with twtrace as $0.
Outcome run_shell(const std::string& script);

/// The lines of `text`. The last one may lack its newline.
std::vector<std::string> lines(const std::string& text);

/// Asserts the contract of every failure: the code, nothing on standard output, and exactly one line on standard error.
/// The line starts with "twtrace: ", and says `what` and what to do ("...; do this").
void check_refused(const Outcome& outcome, int code, const std::string& what);

/// The names of the fields of an object, sorted.
std::vector<std::string> keys(const nlohmann::json& object);

}  // namespace twtrace::test
