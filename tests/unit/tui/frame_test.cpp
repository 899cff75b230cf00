// SPDX-License-Identifier: Apache-2.0
#include "tui/frame.hpp"

#include "base/escape.hpp"
#include "support/catch.hpp"
#include "tui/sparkline.hpp"

using namespace twtrace;
using tui::Charset;
using tui::Frame;
using tui::Style;

namespace {

/// Every cell is part of exactly one character, and no character would move the cursor or colour the screen.
void check_sound(const Frame& frame) {
  for (std::size_t row = 0; row < frame.size().rows; ++row) {
    for (std::size_t column = 0; column < frame.size().columns; ++column) {
      const tui::Cell& cell = frame.at(row, column);
      CHECK(cell.text[0] >= U' ');
      CHECK((cell.text[0] < 0x7F || cell.text[0] > 0x9F));
      if (cell.width == 2) {
        REQUIRE(column + 1 < frame.size().columns);
        CHECK(frame.at(row, column + 1).width == 0);
      }
      if (cell.width == 0) {
        REQUIRE(column > 0);
        CHECK(frame.at(row, column - 1).width == 2);
      }
    }
  }
}

const std::string kHostile =
    "a\x1b[31mb\nc\xff\xfe\x9b"
    "d\u202Ee\u200Bf";

}  // namespace

TEST_CASE("text is written where it belongs and nowhere else") {
  Frame frame({2, 10});
  CHECK(frame.write(0, 2, "abc") == 5);
  CHECK(frame.write(1, 7, "abcdef") == 10);
  CHECK(frame.write(5, 0, "outside") == 0);
  CHECK(frame.write(0, 50, "outside") == 50);
  CHECK(frame.write(0, 6, "xyz", Style::kBold, 8) == 8);
  CHECK(frame.text() == "  abc xy\n       abc\n");
  CHECK(frame.at(0, 6).style == Style::kBold);
  CHECK(frame.at(0, 8).style == Style::kNormal);
  frame.paint(0, 8, Style::kSelected);
  CHECK(frame.at(0, 9).style == Style::kSelected);
  CHECK(frame.text(0) == "  abc xy");
}

TEST_CASE("hostile text stays in its cells") {
  for (const std::size_t columns : {1U, 2U, 3U, 10U, 60U}) {
    Frame frame({1, columns});
    frame.write(0, 0, kHostile);
    check_sound(frame);
  }
  Frame frame({1, 80});
  frame.write(0, 0, kHostile);
  CHECK(frame.text(0) == "a\\x1B[31mb\\x0Ac\\xFF\\xFE\\x9Bd\\u{202E}e\\u{200B}f");
}

TEST_CASE("wide characters take two cells, or none when there is only one") {
  Frame frame({1, 5});
  CHECK(frame.write(0, 0, "\u65E5\u672C\u8A9E") == 4);
  CHECK(frame.text(0) == "\u65E5\u672C");
  check_sound(frame);
  CHECK(frame.at(0, 0).width == 2);
  CHECK(frame.at(0, 4).width == 1);
}

TEST_CASE("combining characters stay with their base, and only so many of them") {
  Frame frame({1, 4});
  CHECK(frame.write(0, 0, "e\u0301\u0301\u0301\u0301\u0301x") == 2);
  CHECK(frame.text(0) == "e\u0301\u0301\u0301x");
  check_sound(frame);
  Frame alone({1, 4});
  CHECK(alone.write(0, 0, "\u0301x") == 1);  // nothing to combine with
  CHECK(alone.text(0) == "x");
  Frame wide({1, 4});
  wide.write(0, 0, "\u65E5\u0301x");
  CHECK(wide.text(0) == "\u65E5\u0301x");
}

TEST_CASE("without UTF-8 everything is ASCII and keeps its place") {
  Frame frame({1, 10}, Charset::kAscii);
  CHECK(frame.write(0, 0, "a\u65E5\u00E9e\u0301z") == 6);
  CHECK(frame.text(0) == "a???ez");
  check_sound(frame);
}

TEST_CASE("UTF-8 of a code point") {
  for (const std::string text : {"a", "\u00E9", "\u2588", "\U0001F600"}) {
    Frame frame({1, 2});
    frame.write(0, 0, text);
    CHECK(frame.text(0) == text);
  }
}

TEST_CASE("a sparkline shows every value, or the largest of several") {
  CHECK(tui::sparkline({}, 10, 0, Charset::kAscii).empty());
  CHECK(tui::sparkline({1}, 0, 0, Charset::kAscii).empty());
  CHECK(tui::sparkline({0, 1, 4, 8}, 10, 8, Charset::kAscii) == " _:#");
  CHECK(tui::sparkline({0, 1, 4, 8}, 10, 0, Charset::kAscii) == " _:#");
  CHECK(tui::sparkline({0, 0}, 10, 0, Charset::kAscii) == "  ");
  CHECK(tui::sparkline({100}, 10, 8, Charset::kAscii) == "#");
  CHECK(tui::sparkline({0.001}, 10, 8, Charset::kAscii) == "_");
  CHECK(tui::sparkline({1, 8, 1, 1, 1}, 3, 8, Charset::kAscii) == "_#_");
  CHECK(tui::sparkline({1, 8}, 5, 8, Charset::kUnicode) == "\u2581\u2588");
}
