// SPDX-License-Identifier: Apache-2.0
#include "logs/pattern.hpp"

#include <chrono>
#include <clocale>

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::logs;

namespace {

Pattern pattern(const std::string& text) {
  auto compiled = Pattern::compile(text);
  REQUIRE(compiled);
  return std::move(*compiled);
}

std::string refusal(const std::string& text) {
  const auto compiled = Pattern::compile(text);
  if (compiled) return "taken";
  CHECK(compiled.error().code == base::ErrorCode::kUsage);
  CHECK_FALSE(compiled.error().hint.empty());
  return compiled.error().what;
}

}  // namespace

TEST_CASE("the default pattern knows what clients say") {
  const Pattern known = pattern(kDefaultPattern);
  for (const char* line : {"redis.exceptions.ConnectionError: Error while reading: (104, 'Connection reset by peer')",
                           "Connection closed by server.", "dial tcp 10.0.0.9:6379: connect: connection refused",
                           "CONNECTION TIMED OUT", "connect: cannot assign requested address", "write: Broken pipe"}) {
    INFO(line);
    CHECK(known.matches(line));
  }
  for (const char* line : {"", "connection established", "closed by client", "reset"}) {
    INFO(line);
    CHECK_FALSE(known.matches(line));
  }
}

TEST_CASE("a pattern is an extended regular expression that may match anywhere, in any case") {
  CHECK(pattern("time ?out|EOF").matches("read: unexpected eof"));
  CHECK(pattern("^ERR").matches("err: x"));
  CHECK_FALSE(pattern("^ERR").matches("an err"));
  CHECK(pattern("gone$").matches("peer gone"));
  CHECK_FALSE(pattern("gone$").matches("gone away"));
  CHECK(pattern("status=5[0-9]{2}").matches("GET / status=502 1ms"));
  CHECK(pattern("\\bEPIPE\\b").matches("errno EPIPE (32)"));
  CHECK_FALSE(pattern("\\bEPIPE\\b").matches("errno EPIPEX"));
  CHECK(pattern("[]\\1{9999}]").matches("]"));  // a set of plain characters
  CHECK(pattern("[[:digit:]]{3}").matches("x123"));
}

TEST_CASE("a pattern goes past bytes that are no text") {
  const Pattern known = pattern("refused");
  CHECK(known.matches(std::string_view("a\0\xff\x1b[31m refused", 16)));
  CHECK_FALSE(known.matches(std::string_view("refused", 6)));
  CHECK(
      pattern("a.c").matches("a\xffxa\xff"
                             "c"));
}

TEST_CASE("a pattern compares bytes in any locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "C.UTF-8");
  const Pattern known = pattern("a.c");
  CHECK(
      known.matches("a\xff"
                    "c"));
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("a pattern that is wrong says why") {
  CHECK(refusal("a(b").find("Unmatched (") != std::string::npos);
  CHECK(refusal("a)(b").find("Unmatched") != std::string::npos);
  CHECK(refusal("[a").find("cannot be used") != std::string::npos);
  CHECK(refusal("*{").find("cannot be used") != std::string::npos);
  CHECK(refusal("(a*)\\1").find("back-references") != std::string::npos);
  CHECK(refusal("\\d+").find("[0-9]") != std::string::npos);
  CHECK(refusal("\\n").find("\\n has no meaning") != std::string::npos);
  CHECK(refusal("((a{100}){100}){100}").find("multiply") != std::string::npos);
  CHECK(refusal("a{99999999999999999999999}").find("multiply") != std::string::npos);
  CHECK(refusal(std::string(1025, 'a')).find("1024") != std::string::npos);
  CHECK(refusal("a\nb").find("several lines") != std::string::npos);
  CHECK(refusal(std::string("a\0b", 3)).find("several lines") != std::string::npos);
  CHECK(refusal("a{2}b{30}") == "taken");
}

// Tried at every place of a line, each of these takes millions of steps.
TEST_CASE("no pattern takes long on a long line") {
  const std::string line(4096, 'a');
  for (const char* text : {"(a*)*b", "a*a*a*a*b", ".*.*.*refused", "(x+x+)+y", "(a|a)*b"}) {
    INFO(text);
    const Pattern known = pattern(text);
    for (int i = 0; i < 20; ++i) CHECK_FALSE(known.matches(line));
  }
}
