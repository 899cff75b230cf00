// SPDX-License-Identifier: Apache-2.0
#include "base/escape.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "base/unicode.hpp"
#include "support/catch.hpp"
#include "support/replaced_utf8.hpp"

using namespace twtrace::base;
using twtrace::test::replaced_utf8;
using namespace std::string_literals;

namespace {

// Encodes UTF-8 without the code under test.
std::string encode(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
}

bool is_scalar(std::uint32_t c) { return c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF); }

}  // namespace

TEST_CASE("text is broken at blanks, and a word that is too wide is cut") {
  using Parts = std::vector<std::string>;
  CHECK(broken("", 5) == Parts{""});
  CHECK(broken("one two", 7) == Parts{"one two"});
  CHECK(broken("one two three", 7) == Parts{"one two", "three"});
  CHECK(broken("one thirteen", 5) == Parts{"one", "thir~"});
  CHECK(broken("\u65E5\u672C \u8A9E", 4) == Parts{"\u65E5\u672C", "\u8A9E"});
}

TEST_CASE("sanitize_terminal leaves readable text alone") {
  for (const char* text : {"", "redis-worker", "a b\\x1B", "=cmd()", "naïve", "データベース", "🚀 launch", "e\u0301"}) {
    CHECK(sanitize_terminal(text) == text);
  }
}

TEST_CASE("sanitize_terminal shows what a terminal would obey or hide") {
  CHECK(sanitize_terminal("\x1b[2J\x1b]0;x\a") == "\\x1B[2J\\x1B]0;x\\x07");
  CHECK(sanitize_terminal("a\nb\r\tc\x7f") == "a\\x0Ab\\x0D\\x09c\\x7F");
  CHECK(sanitize_terminal("a\0b"s) == "a\\x00b");
  CHECK(sanitize_terminal("\x9b\x33\x31m") == "\\x9B31m");  // C1 CSI, raw
  CHECK(sanitize_terminal("\u009b31m") == "\\u{009B}31m");  // C1 CSI, encoded
  CHECK(sanitize_terminal("ok\u202Ekcatta") == "ok\\u{202E}kcatta");
  CHECK(sanitize_terminal("a\u200Bb\uFEFF") == "a\\u{200B}b\\u{FEFF}");
  CHECK(sanitize_terminal("a\u2028b\u2029") == "a\\u{2028}b\\u{2029}");
  CHECK(sanitize_terminal("\U000E0041") == "\\u{E0041}");  // tag character
  CHECK(sanitize_terminal("\xc3(") == "\\xC3(");
  CHECK(sanitize_terminal("\xe2\x82") == "\\xE2\\x82");           // cut short
  CHECK(sanitize_terminal("\xc0\xaf") == "\\xC0\\xAF");           // overlong
  CHECK(sanitize_terminal("\xed\xa0\x80") == "\\xED\\xA0\\x80");  // surrogate
}

TEST_CASE("every code point decodes to itself, and none comes out invisible") {
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (!is_scalar(c)) continue;
    const std::string text = encode(c);
    const Decoded step = decode_utf8(text);
    if (!step.valid || step.code_point != c || step.size != text.size()) FAIL("decodes wrongly: " << c);
    const std::string safe = sanitize_terminal(text);
    const std::string expected = is_invisible(c) ? "\\" : text;
    if (safe.compare(0, expected.size(), expected) != 0) FAIL("escaped wrongly: " << c);
  }
}

TEST_CASE("every two-byte input comes out as one line of valid UTF-8 without controls") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string safe = sanitize_terminal(std::string{static_cast<char>(first), static_cast<char>(second)});
      if (!is_valid_utf8(safe)) FAIL("not UTF-8: " << first << ' ' << second);
      for (const char c : safe) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) FAIL("control left: " << first << ' ' << second);
      }
    }
  }
}

TEST_CASE("is_valid_utf8 at the borders of the encoding") {
  for (const char* text : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_valid_utf8(text));
  }
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"}) {
    CHECK_FALSE(is_valid_utf8(text));
  }
}

// The first two inputs and results are the examples of the Unicode standard, section 3.9.
TEST_CASE("decode_utf8 takes one maximal subpart at a time") {
  CHECK(replaced_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41") == "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  CHECK(replaced_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41") == "\uFFFD\uFFFD\uFFFD\uFFFDA");
  CHECK(replaced_utf8("caf\xe9") == "caf\uFFFD");
  CHECK(replaced_utf8("データ") == "データ");
}

TEST_CASE("hex is lossless and lower case") {
  CHECK(hex("") == "");
  CHECK(hex("a\xff\0\n"s) == "61ff000a");
}

TEST_CASE("a shell takes it for one word, and for nothing else") {
  CHECK(shell_word("--env=prod") == "--env=prod");
  CHECK(shell_word("user@10.0.0.9:6379,50%") == "user@10.0.0.9:6379,50%");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("[::1]:80") == "'[::1]:80'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("$(reboot)\n") == "'$(reboot)\n'");
}

TEST_CASE("csv_cell quotes as RFC 4180 says") {
  CHECK(csv_cell("plain") == "plain");
  CHECK(csv_cell("") == "");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(csv_cell("a\nb") == "\"a\nb\"");
}

TEST_CASE("csv_cell guards what a spreadsheet would run") {
  CHECK(csv_cell("=cmd()") == "'=cmd()");
  CHECK(csv_cell("+1") == "'+1");
  CHECK(csv_cell("-1") == "'-1");
  CHECK(csv_cell("@SUM(A1)") == "'@SUM(A1)");
  CHECK(csv_cell("\tx") == "'\tx");
  CHECK(csv_cell("\rx") == "\"'\rx\"");
  CHECK(csv_cell("=HYPERLINK(\"a\",1)") == "\"'=HYPERLINK(\"\"a\"\",1)\"");
  CHECK(csv_cell("a=b") == "a=b");
}

TEST_CASE("display_width counts columns, not bytes") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("naïve") == 5);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("ｆｕｌｌ") == 8);
  CHECK(display_width("ﾊﾝｶｸ") == 4);
  CHECK(display_width("한글") == 4);
  CHECK(display_width("🚀") == 2);
  CHECK(display_width("\xff\xe2\x82") == 2);
}

TEST_CASE("fit cuts between characters and marks the cut") {
  CHECK(fit("abcdef", 6) == "abcdef");
  CHECK(fit("abcdef", 5) == "abcd~");
  CHECK(fit("abcdef", 1) == "~");
  CHECK(fit("abcdef", 0) == "");
  CHECK(fit("日本語", 5) == "日本~");
  CHECK(fit("日本語", 4) == "日~");                      // one column stays free
  CHECK(fit("e\u0301e\u0301e\u0301", 2) == "e\u0301~");  // the mark stays with its letter
  CHECK(fit("", 0) == "");
  CHECK(fit("abcdef", 5, 2) == "ab~ef");
  CHECK(fit("abcdef", 5, 4) == "~cdef");
  CHECK(fit("abcdef", 6, 2) == "abcdef");
  CHECK(fit("abcdef", 1, 0) == "~");
  CHECK(fit("日本語日本", 6, 3) == "日~本");  // neither half of a wide character
  CHECK(fit("ae\u0301bcd\u0301e\u0301", 4, 2) == "a~d\u0301e\u0301");
}

TEST_CASE("fit and pad hold their width for any text") {
  const std::string text = sanitize_terminal("日e\u0301\x1b🚀 \xff한x");
  for (std::size_t columns = 0; columns < 24; ++columns) {
    CHECK(display_width(fit(text, columns)) <= columns);
    CHECK(is_valid_utf8(fit(text, columns)));
    CHECK(display_width(pad(text, columns, Align::kLeft)) == columns);
    CHECK(display_width(pad(text, columns, Align::kRight)) == columns);
  }
  CHECK(pad("日本語", 4, Align::kLeft) == "日~ ");
  CHECK(pad("812", 5, Align::kRight) == "  812");
  CHECK(pad("812", 5, Align::kLeft) == "812  ");
}

TEST_CASE("HTML text can neither end its element nor its attribute") {
  CHECK(html_text("nginx of web.service (server :8080)") == "nginx of web.service (server :8080)");
  CHECK(html_text("<b a=\"1\" c='2'>&amp;") == "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
  CHECK(html_text("\x1b[31m\n\xff\u202e") == "\\x1B[31m\\x0A\\xFF\\u{202E}");
}

TEST_CASE("Markdown text is text: no markup, no HTML, no link, no new cell or line") {
  CHECK(markdown_text("nginx of web.service (server :8080), 4,023 - 1.5%") ==
        "nginx of web.service (server :8080), 4,023 - 1.5%");
  CHECK(markdown_text("-") == "-");
  CHECK(markdown_text("a|b") == "a&#124;b");
  CHECK(markdown_text("**x** `y` <z> &amp;") == "&#42;&#42;x&#42;&#42; &#96;y&#96; &#60;z&#62; &#38;amp;");
  CHECK(markdown_text("![x](http://e)") == "!&#91;x&#93;(http&#58;//e)");
  CHECK(markdown_text("www.e.x a@b") == "&#119;&#119;w.e.x a&#64;b");
  CHECK(markdown_text("1. x") == "1&#46; x");
  CHECK(markdown_text("1) x") == "1&#41; x");
  CHECK(markdown_text("- x") == "&#45; x");
  CHECK(markdown_text("---") == "&#45;--");
  CHECK(markdown_text("=== x") == "&#61;== x");
  CHECK(markdown_text("# x #1") == "&#35; x &#35;1");
  CHECK(markdown_text("a\nb\\") == "a&#92;x0Ab&#92;");
}
