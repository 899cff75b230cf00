// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

#include <algorithm>
#include <sstream>

#include "support/catch.hpp"
#include "support/environment.hpp"

namespace twtrace::test {

std::string describe(const Outcome& outcome) {
  return "exit code " + std::to_string(outcome.code) + "\nstdout: " + outcome.out + "\nstderr: " + outcome.err;
}

Outcome run_program(const Arguments& argv) {
  Subprocess process(argv);
  Outcome outcome;
  outcome.code = process.wait().value_or(-1);
  outcome.out = process.standard_output();
  outcome.err = process.standard_error();
  return outcome;
}

Outcome run_twtrace(const Arguments& arguments) {
  Arguments argv = {twtrace_binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv);
}

Outcome run_unread(const Arguments& arguments) {
  // open() of a FIFO for reading and writing does not wait for another process.
  const std::string script =
      "d=$(mktemp -d) && mkfifo \"$d/p\" && exec 3<>\"$d/p\" 4>\"$d/p\" 3<&- && rm -r \"$d\" && exec \"$0\" \"$@\" >&4";
  Arguments argv = {"sh", "-c", script, twtrace_binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv);
}

Outcome run_shell(const std::string& script) { return run_program({"sh", "-c", script, twtrace_binary()}); }

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

void check_refused(const Outcome& outcome, int code, const std::string& what) {
  INFO(describe(outcome));
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  REQUIRE(lines(outcome.err).size() == 1);
  CHECK(outcome.err.back() == '\n');
  CHECK(outcome.err.rfind("twtrace: ", 0) == 0);
  CHECK(outcome.err.find(what) != std::string::npos);
  CHECK(outcome.err.find("; ") != std::string::npos);
}

std::vector<std::string> keys(const nlohmann::json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace twtrace::test
