// SPDX-License-Identifier: Apache-2.0
#include "output/json_writer.hpp"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/escape.hpp"
#include "support/catch.hpp"
#include "support/replaced_utf8.hpp"

using twtrace::output::JsonWriter;

namespace {

template <class Value>
std::string written(const Value& value) {
  std::string line;
  JsonWriter json(line);
  json.object([&] { json.field("a", value); });
  REQUIRE(line.starts_with("{\"a\":"));
  REQUIRE(line.ends_with("}"));
  return line.substr(5, line.size() - 6);
}

std::string text(std::string_view bytes) {
  std::string line;
  JsonWriter json(line);
  json.object([&] { json.text("a", bytes); });
  return line;
}

}  // namespace

TEST_CASE("values of every kind") {
  CHECK(written(nullptr) == "null");
  CHECK(written(true) == "true");
  CHECK(written(false) == "false");
  CHECK(written(0) == "0");
  CHECK(written(std::uint16_t{443}) == "443");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written("word") == "\"word\"");
  CHECK(written(std::string("word")) == "\"word\"");
  CHECK(written(std::string_view()) == "\"\"");
  CHECK(written(std::optional<int>()) == "null");
  CHECK(written(std::optional(5)) == "5");
  CHECK(written(std::optional(false)) == "false");
  CHECK(written(std::optional<std::string>("x")) == "\"x\"");
}

TEST_CASE("a number with a fraction always looks like one, and what is not finite is null") {
  CHECK(written(0.0) == "0.0");
  CHECK(written(-0.0) == "0.0");
  CHECK(written(1.0) == "1.0");
  CHECK(written(-999'999'999'999'999.0) == "-999999999999999.0");
  CHECK(written(1'000'000'000'000'000.0) == "1000000000000000.0");
  CHECK(written(1e16) == "1e+16");
  CHECK(written(-2.5) == "-2.5");
  CHECK(written(812.4) == "812.4");
  CHECK(written(0.001) == "0.001");
  CHECK(written(1e-7) == "1e-07");
  CHECK(written(1e300) == "1e+300");
  for (const double no_number : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                 std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(written(no_number) == "null");
    CHECK(written(std::optional(twtrace::output::rounded(no_number))) == "null");
  }
  CHECK(written(twtrace::output::rounded(1.23456)) == "1.235");
  CHECK(written(twtrace::output::rounded(-0.0001)) == "0.0");
  CHECK(written(twtrace::output::rounded(std::optional<double>())) == "null");
}

TEST_CASE("text is ASCII whatever its bytes") {
  CHECK(text("nginx") == R"({"a":"nginx"})");
  CHECK(text("") == R"({"a":null})");
  CHECK(text("\"\\\b\f\n\r\t/") == R"({"a":"\"\\\b\f\n\r\t/"})");
  CHECK(text(std::string_view("\0\x01\x1b\x1f\x7f", 5)) == R"({"a":"\u0000\u0001\u001b\u001f\u007f"})");
  CHECK(text("\u00e9\u20ac\U0001F600\u202e") == R"({"a":"\u00e9\u20ac\ud83d\ude00\u202e"})");
  CHECK(text("caf\xe9") == R"({"a":"caf\ufffd","a_hex":"636166e9"})");
  CHECK(text("\xf0\x9f\x98\xff") == R"({"a":"\ufffd\ufffd","a_hex":"f09f98ff"})");
  CHECK(text("\xed\xa0\x80") == R"({"a":"\ufffd\ufffd\ufffd","a_hex":"eda080"})");  // a surrogate
  CHECK(written("\xff") == "\"\\ufffd\"");
}

TEST_CASE("objects and arrays in one another, behind what is there") {
  std::string line = "x";
  JsonWriter json(line);
  const std::vector<int> two = {1, 2};
  json.object([&] {
    json.object("empty", [] {});
    json.texts("none", std::vector<std::string>{});
    json.texts("words", std::vector<std::string>{"a", "\xff"});
    json.objects("objects", two, [&](int number) {
      json.field("n", number);
      json.objects("inner", std::vector<int>(static_cast<std::size_t>(number - 1)), [](int) {});
    });
    json.object_if("unknown", std::optional<int>(), [](int) {});
    json.object_if("known", std::optional(7), [&](int number) { json.field("n", number); });
  });
  CHECK(line == R"(x{"empty":{},"none":[],"words":["a","\ufffd"],)"
                R"("objects":[{"n":1,"inner":[]},{"n":2,"inner":[{}]}],"unknown":null,"known":{"n":7}})");
}

TEST_CASE("any two bytes are what a JSON library writes of the same text") {
  using Json = nlohmann::json;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
      const std::string expected = Json(twtrace::test::replaced_utf8(bytes)).dump(-1, ' ', true);
      if (written(bytes) != expected) FAIL(twtrace::base::hex(bytes) << ": " << written(bytes));
    }
  }
}
