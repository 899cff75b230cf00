// SPDX-License-Identifier: Apache-2.0
#include "kernel/text.hpp"

#include "support/catch.hpp"

using namespace twtrace::kernel;

TEST_CASE("cut drops one delimiter and keeps empty fields") {
  std::string_view rest = "a::b";
  CHECK(cut(rest, ':') == "a");
  CHECK(cut(rest, ':').empty());
  CHECK(cut(rest, ':') == "b");
  CHECK(rest.empty());
  CHECK(cut(rest, ':').empty());
}

TEST_CASE("cut_word skips runs of blanks") {
  std::string_view rest = "  TCP:\tinuse \n 5 ";
  CHECK(cut_word(rest) == "TCP:");
  CHECK(cut_word(rest) == "inuse");
  CHECK(cut_word(rest) == "5");
  CHECK(cut_word(rest).empty());
  CHECK(rest.empty());
}

TEST_CASE("trim strips both ends only") {
  CHECK(trim(" a b\t\n") == "a b");
  CHECK(trim("\n \t").empty());
}

TEST_CASE("parse_number takes whole numbers only") {
  CHECK(parse_number<std::uint16_t>("65535") == 65535);
  CHECK(parse_number<std::int64_t>("-1") == -1);
  CHECK(parse_number<std::uint64_t>("1ff", 16) == 511);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "65536", "0x1", "1a"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<std::uint16_t>(text));
  }
}

TEST_CASE("is_hex wants at least one digit") {
  CHECK(is_hex("0123456789abcdefABCDEF"));
  CHECK_FALSE(is_hex(""));
  CHECK_FALSE(is_hex("12g4"));
}
