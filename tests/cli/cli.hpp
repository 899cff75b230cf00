// SPDX-License-Identifier: Apache-2.0
// The twtrace binary as a user sees it: arguments in; exit code, output and errors out.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace twtrace::test {

using Arguments = std::vector<std::string>;

/// How a run ended. `code` is 128 + the signal's number when one killed it, -1 when it did not end in time.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

/// For INFO().
std::string describe(const Outcome& outcome);

/// Runs twtrace to its end.
Outcome run_twtrace(const Arguments& arguments);
/// Runs a program, looked up in PATH, to its end.
Outcome run_program(const Arguments& argv);
/// Runs twtrace with a pipe as standard output whose reader has gone already.
Outcome run_unread(const Arguments& arguments);
/// Runs `sh -c SCRIPT` with twtrace as $0.
Outcome run_shell(const std::string& script);

/// The lines of `text`; the last one too when it has no newline.
std::vector<std::string> lines(const std::string& text);

/// Asserts what the contract says of every failure: the code, nothing on standard output, and exactly one line on
/// standard error that begins with "twtrace: ", says `what`, and what to do ("...; do this").
void check_refused(const Outcome& outcome, int code, const std::string& what);

/// The names of an object's fields, sorted.
std::vector<std::string> keys(const nlohmann::json& object);

}  // namespace twtrace::test
