// SPDX-License-Identifier: Apache-2.0
// Options that ask for information print it on standard output. They need no privilege.
#include <regex>

#include "cli/cli.hpp"
#include "support/catch.hpp"

using namespace twtrace::test;

namespace {

std::string told(const Arguments& arguments) {
  const Outcome outcome = run_twtrace(arguments);
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  REQUIRE_FALSE(outcome.out.empty());
  CHECK(outcome.out.back() == '\n');
  return outcome.out;
}

bool mentions(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("help explains every command and common flag") {
  const std::string text = told({"--help"});
  CHECK(text == told({"-h"}));
  for (const char* command : {"top", "events", "capture", "mark", "doctor", "demo"}) CHECK(mentions(text, command));
  for (const char* flag :
       {"--batch",   "--delay", "--iterations", "--group",       "--sort",    "--rows",    "--output",
        "--json",    "--pid",   "--local-port", "--remote-port", "-4",        "-6",        "--comm",
        "--service", "--netns", "--probe",      "--color",       "--verbose", "--version", "--help"}) {
    INFO(flag);
    CHECK(mentions(text, flag));
  }
}

TEST_CASE("help of a command lists its flags") {
  for (const char* command : {"top", "events", "replay", "demo"}) {
    INFO(command);
    CHECK(mentions(told({command, "--help"}), "--netns"));
  }
  const std::string doctor = told({"doctor", "-h"});
  for (const char* flag : {"--netns", "--group", "--iterations", "--batch"}) {
    INFO(flag);
    CHECK_FALSE(mentions(doctor, flag));
  }
}

TEST_CASE("the command help says the same as --help") {
  CHECK(told({"help"}) == told({"--help"}));
  for (const char* command :
       {"top", "events", "capture", "mark", "report", "diff", "replay", "doctor", "demo", "help"}) {
    INFO(command);
    CHECK(told({"help", command}) == told({command, "--help"}));
    CHECK(told({"--help", command}) == told({command, "-h"}));
    CHECK(mentions(told({"help"}), command));
  }
}

TEST_CASE("a command that shows no table has options of its own") {
  const std::string text = told({"capture", "--help"});
  for (const char* flag :
       {"--output", "--before", "--after", "--duration", "--events", "--user", "--fail-if", "--netns", "--probe"}) {
    INFO(flag);
    CHECK(mentions(text, flag));
  }
  for (const char* flag : {"--json", "--group", "--sort", "interval"}) {
    INFO(flag);
    CHECK_FALSE(mentions(text, flag));
  }
}

// A release tarball has no commit.
TEST_CASE("version is the name, the version and the commit") {
  const std::string text = told({"--version"});
  INFO(text);
  CHECK(std::regex_match(text, std::regex(R"(twtrace \d+\.\d+\.\d+( \((v[0-9.]+-\d+-g)?[0-9a-f]{10,}\))?\n)")));
}

TEST_CASE("sort help lists the columns, and each of them is accepted") {
  const std::string text = told({"-s", "help"});
  CHECK(text == told({"top", "--sort", "help"}));
  const auto listed = lines(text);
  REQUIRE(listed.size() == 14);
  for (std::size_t i = 1; i < listed.size(); ++i) {
    const std::string column = listed[i].substr(2, listed[i].find(' ', 2) - 2);
    INFO(column);
    // -4 -6 is refused after the check of the column.
    CHECK(mentions(run_twtrace({"-s", column, "-4", "-6"}).err, "-4 and -6"));
  }
}
