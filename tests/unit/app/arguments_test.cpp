// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.hpp"

#include <string>
#include <vector>

#include "app/help_text.hpp"
#include "app/option_values.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::app;

namespace {

using Typed = std::vector<std::string>;

/// A command with one option of each kind.
struct Sample {
  bool batch = false;
  std::uint64_t count = 0;
  double delay_s = 1;
  std::string file = "default";
  std::string comm;
  std::vector<std::string> features;
  std::string word;
  int checked = 0;
  OptionList list{"twtrace sample"};

  Sample() {
    list.word("FILE", "a file", text(word));
    list.section("One");
    list.flag("-b,--batch", "a flag", batch);
    list.option("-n,--iterations", "N", "a number", whole_number(count, 1, 9));
    list.option("-d,--delay", "SECONDS", "a time", seconds(delay_s, 0.5, 10));
    list.section("Two");
    list.option("-o,--output", "FILE", "a file", text(file));
    list.option("--comm", "PATTERN", "given once", text(comm), OptionList::Repeat::kRefused);
    list.option("--no-feature", "NAME", "adds up", [this](const std::string& typed) {
      features.push_back(typed);
      return base::Result<void>();
    });
    list.check([this] {
      ++checked;
      return base::Result<void>();
    });
  }
  Sample(const Sample&) = delete;

  base::Result<void> read(const Typed& typed) { return apply(list, take_apart(list, typed)); }
  /// What is wrong with the arguments.
  std::string refused(const Typed& typed) {
    const auto result = read(typed);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == base::ErrorCode::kUsage);
    CHECK_FALSE(result.error().hint.empty());
    return result.error().what;
  }
};

}  // namespace

TEST_CASE("every way to write an option") {
  for (const Typed& typed : {Typed{"-b", "-n", "7", "-o", "x"}, Typed{"-bn7", "-ox"}, Typed{"-n7", "-o", "x", "-b"},
                             Typed{"--batch", "--iterations=7", "--output", "x"}}) {
    Sample sample;
    REQUIRE(sample.read(typed));
    CHECK(sample.batch);
    CHECK(sample.count == 7);
    CHECK(sample.file == "x");
    CHECK(sample.checked == 1);
  }
}

TEST_CASE("the last of a repeated option wins, lists add up, a filter is given once") {
  Sample sample;
  REQUIRE(sample.read({"-n", "1", "--iterations", "2", "--no-feature", "a", "-b", "--no-feature", "b", "-b"}));
  CHECK(sample.count == 2);
  CHECK(sample.features == Typed{"a", "b"});
  CHECK(sample.refused({"--comm", "a", "--comm", "b"}) == "--comm is given twice");
  CHECK(sample.refused({"-n", "x", "-n", "2"}) == "--iterations: \"x\" cannot be used");
}

TEST_CASE("an empty value is refused, however it is written") {
  Sample sample;
  CHECK(sample.refused({"--comm", ""}) == "--comm: the value is empty");
  CHECK(sample.refused({"--comm="}) == "--comm: the value is empty");
  CHECK(sample.refused({"--comm=", "-b"}) == "--comm: the value is empty");
  CHECK(sample.refused({"-o", "", "-o", "x"}) == "--output: the value is empty");
  CHECK(sample.refused({"-n", ""}) == "--iterations: the value is empty");
  CHECK(sample.refused({"--no-feature", ""}) == "--no-feature: the value is empty");
  CHECK(sample.refused({""}) == "FILE is empty");
}

TEST_CASE("a value of blanks is refused like an empty one") {
  Sample sample;
  CHECK(sample.refused({"--comm", " "}) == "--comm: the value is blank");
  CHECK(sample.refused({"--comm= \t"}) == "--comm: the value is blank");
  CHECK(sample.refused({"-o", "\n"}) == "--output: the value is blank");
  CHECK(sample.refused({"  "}) == "FILE is blank");
}

TEST_CASE("a value that is missing, or where none belongs") {
  Sample sample;
  CHECK(sample.refused({"-d"}) == "--delay: the value is missing");
  CHECK(sample.refused({"--delay"}) == "--delay: the value is missing");
  CHECK(sample.refused({"-bd"}) == "--delay: the value is missing");
  CHECK(sample.refused({"--batch=1"}) == "--batch takes no value");
  CHECK(sample.refused({"--batch="}) == "--batch takes no value");
}

TEST_CASE("what looks like an option can be a value or a word") {
  Sample sample;
  REQUIRE(sample.read({"-o", "-b", "--comm=-x", "--", "-n"}));
  CHECK_FALSE(sample.batch);
  CHECK(sample.file == "-b");
  CHECK(sample.comm == "-x");
  CHECK(sample.word == "-n");
}

TEST_CASE("values and words are taken as they are") {
  for (const char* odd : {"[a,b]", "a,b", "{}", "a b", " a ", "-", "\xff\n", "'", "\"x\"", "%d", "${HOME}", "++"}) {
    Sample sample;
    INFO(odd);
    REQUIRE(sample.read({"-o", odd, odd}));
    CHECK(sample.file == odd);
    CHECK(sample.word == odd);
  }
}

TEST_CASE("a word too many is named") {
  Sample sample;
  CHECK(sample.refused({"a", "b"}) == "unexpected argument \"b\"");
  sample.list.words.front().required = true;
  CHECK(sample.refused({"-b"}) == "FILE is missing");
}

TEST_CASE("unknown options are the caller's, with the words after them") {
  const Sample sample;
  const Arguments arguments = take_apart(sample.list, {"-b", "--grup=pid", "-Z", "a", "--nope", "b"});
  CHECK(arguments.unknown == Typed{"--grup=pid", "-Z", "--nope"});
  CHECK(arguments.words == Typed{"a", "b"});
  REQUIRE(arguments.values.size() == 1);
  CHECK_FALSE(arguments.error);
}

TEST_CASE("a command follows --, untouched") {
  Sample sample;
  Typed command;
  sample.list.words.clear();
  sample.list.take_command = [&command](const Typed& argv) {
    command = argv;
    return base::Result<void>();
  };
  REQUIRE(sample.read({"-n", "3", "--", "sh", "-n", "", "--", "--comm="}));
  CHECK(command == Typed{"sh", "-n", "", "--", "--comm="});
  CHECK(sample.count == 3);
  REQUIRE(sample.read({"-b"}));
}

TEST_CASE("a command without -- is told what to type") {
  Sample sample;
  sample.list.words.clear();
  sample.list.take_command = [](const Typed&) { return base::Result<void>(); };
  const auto hint = [&sample](const Typed& typed) {
    const auto result = sample.read(typed);
    REQUIRE_FALSE(result);
    return result.error().hint;
  };
  CHECK(hint({"./x.sh"}) == "to run it, type: twtrace sample -- ./x.sh");
  CHECK(hint({"-o", "./x.sh", "./x.sh", "-n", "3", "--fast", "it's", ""}) ==
        "to run it, type: twtrace sample -o ./x.sh -- ./x.sh -n 3 --fast 'it'\\''s' ''");
  CHECK(hint({"x", "--output="}) == "to run it, type: twtrace sample -- x --output=");
  CHECK(hint({"x", "--", "y"}) == "twtrace sample --help lists what it takes");
}

TEST_CASE("a check that fails is the result") {
  Sample sample;
  sample.list.check([] { return base::Result<void>(base::fail(base::ErrorCode::kUsage, "no", "yes")); });
  CHECK(sample.refused({}) == "no");
}

TEST_CASE("numbers, seconds and names") {
  Sample sample;
  CHECK(sample.refused({"-n", "0"}) == "--iterations: \"0\" cannot be used");
  for (const char* bad : {"10", "1.5", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551617", "x"}) {
    CHECK_FALSE(parse_whole_number(bad, 0, 9));
  }
  CHECK(parse_whole_number("9", 0, 9) == 9U);
  for (const char* bad : {"0.4", "11", "nan", "inf", "-1", "1s", "", " 1"}) CHECK_FALSE(parse_seconds(bad, 0.5, 10));
  CHECK(parse_seconds("0.5", 0.5, 10) == 0.5);
  CHECK(parse_seconds("10", 0.5, 10) == 10.0);
  const auto name = parse_name("tabel", {"table", "wide"});
  REQUIRE_FALSE(name);
  CHECK(name.error().what == "unknown value \"tabel\"");
  CHECK(name.error().hint == "did you mean \"table\"? expected one of table, wide");
  CHECK(parse_name("wide", {"table", "wide"}) == 1U);
}

TEST_CASE("help lists what there is, by section") {
  Sample sample;
  sample.list.notes.emplace_back("A note.");
  CHECK(usage_text(sample.list) == "twtrace sample [OPTIONS] [FILE]");
  CHECK(options_text(sample.list) == R"(
Arguments:
  FILE                    a file

One:
  -b, --batch             a flag
  -n, --iterations N      a number
  -d, --delay SECONDS     a time

Two:
  -o, --output FILE       a file
      --comm PATTERN      given once
      --no-feature NAME   adds up

A note.
)");
  sample.list.words.front().required = true;
  sample.list.take_command = [](const Typed&) { return base::Result<void>(); };
  CHECK(usage_text(sample.list) == "twtrace sample [OPTIONS] FILE [-- COMMAND [ARGUMENT...]]");
  sample.list.usage = "[BEFORE AFTER]";
  CHECK(usage_text(sample.list) == "twtrace sample [OPTIONS] [BEFORE AFTER]");
}
