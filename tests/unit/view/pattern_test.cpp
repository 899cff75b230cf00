// SPDX-License-Identifier: Apache-2.0
#include "view/pattern.hpp"

#include <fnmatch.h>

#include "support/catch.hpp"
#include "support/entries.hpp"

using twtrace::view::Pattern;

namespace {

bool matches(std::string_view pattern, std::string_view name) { return Pattern(pattern).matches(name); }

}  // namespace

TEST_CASE("a text without glob characters stands anywhere in the name") {
  CHECK(matches("gin", "nginx"));
  CHECK(matches("NGIN", "nginx"));
  CHECK(matches("ngin", "NGINX"));
  CHECK(matches("nginx", "nginx"));
  CHECK(matches("aab", "aaaab"));
  CHECK_FALSE(matches("nginxx", "nginx"));
  CHECK_FALSE(matches("gix", "nginx"));
  CHECK_FALSE(matches("x", ""));
  CHECK_FALSE(matches("*", ""));
  CHECK_FALSE(Pattern().matches(""));
  CHECK_FALSE(Pattern().matches("a"));
  CHECK(matches(std::string_view("a\0b", 3), std::string_view("xa\0bx", 5)));
}

TEST_CASE("a whole name is itself, whatever characters it has") {
  CHECK(Pattern::whole("a*b").matches("A*B"));
  CHECK_FALSE(Pattern::whole("a*b").matches("axb"));
  CHECK_FALSE(Pattern::whole("a").matches("aa"));
  CHECK_FALSE(Pattern::whole("aa").matches("a"));
  CHECK(Pattern::whole("[\\").matches("[\\"));
}

TEST_CASE("a shell pattern is for the whole name") {
  for (const char* pattern :
       {"web-*", "WEB-?2", "*12", "*e*1*", "web-[0-9]2", "web-[!2]?", "[a-w]eb-12", "web-[[:digit:]]*",
        "w[[:UPPER:]]b-12", "web?12", "web\\-1*", "*web-12*", "[w]*", "we[^ac]*", "***"}) {
    INFO(pattern);
    CHECK(matches(pattern, "web-12"));
  }
  for (const char* pattern : {"eb-*", "web-?", "web-[!1]?", "[0-9]*", "*1", "?", "web-12?", "[[:space:]]*"}) {
    INFO(pattern);
    CHECK_FALSE(matches(pattern, "web-12"));
  }
  CHECK(matches("a[]]*", "a]"));
  CHECK(matches("a\\*?", "a*b"));
  CHECK_FALSE(matches("a\\*?", "abb"));
  CHECK(matches("[*", "[x"));  // a bracket that is never closed is a character
  CHECK(matches("a\\\\*", "a\\b"));
}

TEST_CASE("a question mark is a character, not a byte") {
  CHECK(matches("caf?", "caf\u00e9"));
  CHECK(matches("?", "\U0001f600"));
  CHECK_FALSE(matches("caf??", "caf\u00e9"));
  CHECK(matches("[!a]x", "\u00e9x"));
  CHECK(matches("\u00e9*", "\u00e9t\u00e9"));
  CHECK(matches("*\xff*", "a\xff\xfe"));
}

TEST_CASE("a part of a name before a slash, and an end of a path behind one") {
  const Pattern pod = Pattern::whole("shop/web-1");
  CHECK(pod.matches_leading_part("shop/web-1/nginx"));
  CHECK_FALSE(pod.matches_leading_part("shop/web-1"));
  CHECK_FALSE(pod.matches_leading_part("shop/web-12/nginx"));
  CHECK(Pattern("sh?p").matches_leading_part("shop/web"));
  CHECK(Pattern::whole("a/b").matches_end("x/a/b"));
  CHECK(Pattern::whole("a/b").matches_end("a/b"));
  CHECK(Pattern::whole("a/a").matches_end("a/a/a"));
  CHECK_FALSE(Pattern::whole("a/b").matches_end("xa/b"));
  CHECK_FALSE(Pattern::whole("a/b").matches_end("a/b/c"));
  CHECK(Pattern("a/*").matches_end("/x/a/c"));
  CHECK_FALSE(Pattern("a/?").matches_end("/x/a/cc"));
}

TEST_CASE("long patterns match as short ones do") {
  const std::string many(300, 'a');
  CHECK(matches(many + "*", many + "b"));
  CHECK(matches("*" + many + "?", "b" + many + "b"));
  CHECK_FALSE(matches("*" + many + "b", many + many));
  CHECK(matches(std::string(512, 'a'), std::string(600, 'a')));
  CHECK_FALSE(matches(std::string(512, 'a'), std::string(511, 'a')));
  CHECK(matches(std::string(511, '?') + "*", std::string(511, 'a')));
  std::string stars;
  for (int i = 0; i < 250; ++i) stars += "*a";
  CHECK(matches(stars, std::string(250, 'a')));
  CHECK_FALSE(matches(stars, std::string(249, 'a')));
}

TEST_CASE("patterns match what fnmatch() matches") {
  twtrace::test::Random random(11);
  const auto text = [&](std::string_view bytes, std::uint64_t most) {
    std::string made;
    for (std::uint64_t left = 1 + random.up_to(most - 1); left > 0; --left)
      made += bytes[random.up_to(bytes.size() - 1)];
    return made;
  };
  std::size_t matched = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string pattern = text("abAB*?[]!-/", 8) + "*";
    const std::string name = text("abBA-/.]", 8);
    INFO(pattern << " of " << name);
    const bool is_match = ::fnmatch(pattern.c_str(), name.c_str(), FNM_CASEFOLD) == 0;
    matched += is_match ? 1U : 0U;
    if (matches(pattern, name) != is_match) FAIL("differs");
  }
  CHECK(matched > 1000);
}
