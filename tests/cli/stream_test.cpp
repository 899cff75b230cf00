// SPDX-License-Identifier: Apache-2.0
// If standard output is full or missing, twtrace prints one line and exits with 1. If the reader has gone, it ends
// silently. It never hangs.
#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/workload.hpp"

using namespace twtrace::test;

namespace {

/// Runs a script that ends with "exit=CODE" on standard error. Returns the errors of twtrace, and its code.
Outcome traced(const std::string& script) {
  Outcome outcome = run_shell(script);
  auto said = lines(outcome.err);
  REQUIRE_FALSE(said.empty());
  REQUIRE(said.back().rfind("exit=", 0) == 0);
  outcome.code = std::stoi(said.back().substr(5));
  said.pop_back();
  outcome.err.clear();
  for (const std::string& line : said) {
    if (line != "ready") outcome.err += line + "\n";
  }
  outcome.out.clear();
  return outcome;
}

/// Asserts that it ended with 0 and printed only "ready".
void check_quiet(const Outcome& outcome) {
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  CHECK((outcome.err.empty() || outcome.err == "ready\n"));
}

}  // namespace

TEST_CASE("a reader that has had enough ends a batch quietly") {
  if (!privileged()) return;
  check_quiet(traced("(\"$0\" -b --json -d 0.1; echo exit=$? >&2) | head -1"));
  check_quiet(run_unread({"-b", "-o", "csv", "-d", "0.1"}));
}

TEST_CASE("a reader that has had enough changes nothing about the diagnosis") {
  if (!privileged()) return;
  check_quiet(run_unread({"doctor"}));
}

// twtrace must notice it even without events to write.
TEST_CASE("a reader that has had enough ends the event stream, even a silent one") {
  if (!privileged()) return;
  check_quiet(traced("(\"$0\" events --netns self; echo exit=$? >&2) | head -1"));
  check_quiet(run_unread({"events", "--json", "-D", "1", "--netns", "self"}));
}

TEST_CASE("help that nobody reads is neither an error nor ended by a signal") {
  for (const Arguments& arguments :
       {Arguments{"--help"}, Arguments{"help", "capture"}, Arguments{"--version"}, Arguments{"-s", "help"}}) {
    check_quiet(run_unread(arguments));
  }
}

TEST_CASE("a closed standard output is an error, and no other file is written to instead") {
  check_refused(traced("\"$0\" --help >&-; echo exit=$? >&2"), 1, "standard output");
  if (!privileged()) return;
  check_refused(traced("\"$0\" -b --json -d 0.1 -n 2 >&-; echo exit=$? >&2"), 1, "standard output");
  check_refused(traced("\"$0\" events >&-; echo exit=$? >&2"), 1, "standard output");
}

TEST_CASE("a closed standard input and standard error do not matter") {
  if (!privileged()) return;
  const Outcome outcome = run_shell("\"$0\" -b --json -d 0.1 -n 2 <&- 2>&-");
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  CHECK(lines(outcome.out).size() == 2);
}

TEST_CASE("a full disk is an error") {
  check_refused(traced("\"$0\" --version >/dev/full; echo exit=$? >&2"), 1, "No space left");
  if (!privileged()) return;
  check_refused(traced("\"$0\" -b --json -d 0.1 >/dev/full; echo exit=$? >&2"), 1, "No space left");
}
