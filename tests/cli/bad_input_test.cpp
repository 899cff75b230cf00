// SPDX-License-Identifier: Apache-2.0
// Bad input. twtrace refuses it before it loads anything. One line says what is wrong and what to do.

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace twtrace::test;

namespace {

struct BadInput {
  Arguments arguments;
  std::string what;
};

}  // namespace

TEST_CASE("bad usage: exit code 2, one line, nothing on standard output") {
  const std::vector<BadInput> inputs = {
      {{"--bogus"}, "--bogus"},
      {{"-Z"}, "-Z"},
      {{"bogus"}, "\"bogus\""},
      {{""}, "unknown command"},
      {{"help", "bogus"}, "\"bogus\""},
      {{"help", "top", "events"}, "events"},
      {{"top", "events"}, "events"},
      {{"1", "2", "3"}, "3"},
      {{"top", "1", "2", "3"}, "3"},
      {{"-b", "soon"}, "soon"},
      {{"replay", "-L", "80", "x.db"}, "does not take -L"},
      {{"replay", "a.db", "b.db"}, "b.db"},
      {{"-d"}, "--delay"},
      {{"-d", "0"}, "-d"},
      {{"-d", "-1"}, "-d"},
      {{"-d", "abc"}, "abc"},
      {{"-d", "nan"}, "nan"},
      {{"-d", "inf"}, "inf"},
      {{"0"}, "SECONDS"},
      {{"-n", "-1"}, "\"-1\""},
      {{"-n", "1.5"}, "\"1.5\""},
      {{"-n", "18446744073709551616"}, "\"18446744073709551616\""},
      {{"1", "many"}, "\"many\""},
      {{"-r", "-1"}, "\"-1\""},
      {{"--max-rows", "-1"}, "\"-1\""},
      {{"-g", "foo"}, "\"foo\""},
      {{"-s", "foo"}, "-s help"},
      {{"-o", "foo"}, "\"foo\""},
      {{"--color", "foo"}, "\"foo\""},
      {{"--probe", "foo"}, "\"foo\""},
      {{"--ring-size", "5000"}, "\"5000\""},
      {{"--ring-size", ""}, "--ring-size: the value is empty"},
      {{"--ring-size", "2048"}, "\"2048\""},
      {{"--ring-size", "2G"}, "\"2G\""},
      {{"--ring-size", "99999999999999999999"}, "--ring-size"},
      {{"--no-feature", "foo"}, "\"foo\""},
      {{"-4", "-6"}, "-4 and -6"},
      {{"-p", "x"}, "\"x\""},
      {{"-p", "1", "--pid", "2"}, "--pid"},
      {{"--comm", "a", "--comm", "b"}, "--comm"},
      {{"replay", "--netns", "all", "--netns", "host"}, "--netns"},
      {{"-n", "soon", "-n", "5"}, "\"soon\""},
      {{"-g", "pid", "-g", "foo"}, "\"foo\""},
      {{"-p", "0"}, "\"0\""},
      {{"-p", "-5"}, "\"-5\""},
      {{"-p", "99999999999"}, "\"99999999999\""},
      {{"-L", "0"}, "\"0\""},
      {{"-L", "65536"}, "\"65536\""},
      {{"-D", "http"}, "\"http\""},
      {{"-p", "1", "-g", "peer"}, "-g peer"},
      {{"events", "-o", "csv"}, "csv"},
      {{"events", "-n", "3"}, "-n"},
      {{"-n", "3", "events"}, "-n"},
      {{"events", "--group", "pid"}, "-g"},
      {{"events", "-s", "help"}, "-s"},
      {{"events", "-r", "9"}, "-r"},
      {{"events", "-d", "1"}, "-d"},
      {{"events", "1"}, "\"1\""},
      {{"events", "--comm"}, "--comm"},
      {{"-b", "capture"}, "-b"},
      {{"1", "capture"}, "capture"},
      {{"capture", "--json"}, "--json"},
      {{"capture", "true"}, "true"},
      {{"capture", "--"}, "no command"},
      {{"capture", "--", ""}, "no command"},
      {{"capture", "-o", "-"}, "standard output"},
      {{"capture", "-o", ""}, "--output: the value is empty"},
      {{"capture", "-o", "/"}, "not the name of a file"},
      {{"capture", "-d", "0"}, "-d"},
      {{"capture", "--before", "1"}, "--before"},
      {{"capture", "--after", "1"}, "--after"},
      {{"capture", "--user", "root"}, "--user"},
      {{"capture", "--before", "-1", "--", "true"}, "--before"},
      {{"capture", "--before", "soon", "--", "true"}, "soon"},
      {{"capture", "--after", "nan", "--", "true"}, "--after"},
      {{"capture", "--after", "86401", "--", "true"}, "--after"},
      {{"capture", "--duration", "0"}, "--duration"},
      {{"capture", "--duration", "1", "--", "true"}, "--duration"},
      {{"capture", "--user", "no-such-user", "--", "true"}, "\"no-such-user\""},
      {{"capture", "--fail-if", "bogus>1", "--", "true"}, "--fail-if"},
      {{"capture", "--fail-if", "", "--", "true"}, "--fail-if"},
      {{"mark"}, "NAME"},
      {{"mark", "a", "b"}, "b"},
  };
  for (const BadInput& input : inputs) {
    std::string typed;
    for (const std::string& argument : input.arguments) typed += " '" + argument + "'";
    INFO("twtrace" << typed);
    check_refused(run_twtrace(input.arguments), 2, input.what);
  }
}

TEST_CASE("what was typed cannot break the line or reach the terminal") {
  const Arguments arguments = GENERATE(Arguments{"bo\ngus"}, Arguments{"-g", "a\nb\x1b[31m"}, Arguments{"-o", "\xff\r"},
                                       Arguments{"--no\nflag"}, Arguments{"-p", "1\n2"});
  const Outcome outcome = run_twtrace(arguments);
  INFO(describe(outcome));
  CHECK(outcome.code == 2);
  REQUIRE(lines(outcome.err).size() == 1);
  for (const char c : outcome.err.substr(0, outcome.err.size() - 1)) CHECK((c >= ' ' && c != '\x7f'));
}

TEST_CASE("a file that is no BTF is named in one line") {
  if (!privileged()) return;
  for (const char* path : {"/nonexistent", "/etc/passwd", "/dev/null", "/"}) {
    check_refused(run_twtrace({"--btf", path, "-b", "-n", "1"}), 1, path);
  }
}

TEST_CASE("what is no running capture cannot be marked") {
  check_refused(run_twtrace({"mark", "-o", "/nonexistent/x.db", "now"}), 1,
                "no capture is writing /nonexistent/x.db; name the running capture's file with -o FILE");
  check_refused(run_twtrace({"mark", "-o", "/etc/passwd", "now"}), 1, "not a capture");
  check_refused(run_twtrace({"mark", "-o", "/dev/null", "now"}), 1, "not a regular file");
}

TEST_CASE("a namespace that does not exist is named in one line") {
  if (!privileged()) return;
  check_refused(run_twtrace({"--netns", "no-such-netns", "-b", "-n", "1"}), 1,
                "to wait for one that does not exist yet, use a pattern: 'no-such-netns*'");
  check_refused(run_twtrace({"events", "--netns", "4294967295"}), 1, "4294967295");
  check_refused(run_twtrace({"--netns", "/etc/passwd", "-b", "-n", "1"}), 2, "/etc/passwd");
}
