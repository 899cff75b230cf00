// SPDX-License-Identifier: Apache-2.0
#include "logs/line_splitter.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace::logs;

namespace {

using Lines = std::vector<std::string>;

Lines split(LineSplitter& splitter, std::string_view bytes, std::size_t piece) {
  Lines lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  for (std::size_t i = 0; i < bytes.size(); i += piece) splitter.feed(bytes.substr(i, piece), take);
  return lines;
}

}  // namespace

TEST_CASE("lines are the same whatever the pieces are") {
  const std::string bytes = std::string("\n\none\ntwo\r\n") + std::string("\0\0\0three\0\x1b\xff\n", 12) + "rest";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    LineSplitter splitter;
    INFO(piece);
    CHECK(split(splitter, bytes, piece) == Lines{"", "", "one", "two", std::string("three\0\x1b\xff", 8)});
    Lines last;
    splitter.finish([&](std::string_view line) { last.emplace_back(line); });
    CHECK(last == Lines{"rest"});
    splitter.finish([&](std::string_view line) { last.emplace_back(line); });
    CHECK(last == Lines{"rest"});
  }
}

TEST_CASE("of a long line the beginning is given, and it is counted once") {
  const std::string whole(kLongestLine, 'x');
  for (const std::size_t piece : {std::size_t{1000}, kLongestLine, std::size_t{10'000'000}}) {
    LineSplitter splitter;
    INFO(piece);
    CHECK(split(splitter, whole + "\n" + whole + "y\n" + std::string(5'000'000, 'z') + "\nnext\n", piece) ==
          Lines{whole, whole, std::string(kLongestLine, 'z'), "next"});
    CHECK(splitter.long_lines() == 2);
  }
}

TEST_CASE("zeroes without end are no line") {
  LineSplitter splitter;
  CHECK(split(splitter, std::string(100'000, '\0'), 999).empty());
  splitter.finish([](std::string_view) { FAIL(); });
  CHECK(split(splitter, "a\n", 1) == Lines{"a"});
  CHECK(splitter.long_lines() == 0);
}
