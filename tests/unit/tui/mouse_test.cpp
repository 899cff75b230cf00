// SPDX-License-Identifier: Apache-2.0
#include "tui/mouse.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace::tui;
using Form = MouseReport::Form;

namespace {

struct Read {
  std::vector<Key> keys;
  std::string left_over;  ///< characters that are not part of a report
  bool open = false;
};

/// What becomes of the characters behind a prefix.
Read read(Form form, std::string_view characters) {
  MouseReport report;
  report.begin(form);
  Read result;
  for (const char each : characters) {
    const MouseReport::Step step = report.take(static_cast<unsigned char>(each));
    if (!step.taken) result.left_over += each;
    if (step.key) result.keys.push_back(*step.key);
  }
  result.open = report.is_open();
  return result;
}

Key click(std::uint16_t row, std::uint16_t column) { return {0, Special::kClick, row, column}; }

}  // namespace

TEST_CASE("a click and the wheel, as old terminals report them") {
  CHECK(read(Form::kX10, " %,").keys == std::vector{click(11, 4)});
  CHECK(read(Form::kX10, "`%,").keys == std::vector{Key{0, Special::kWheelUp}});
  CHECK(read(Form::kX10, "a%,").keys == std::vector{Key{0, Special::kWheelDown}});
  CHECK(read(Form::kX10, " \xff\xff").keys == std::vector{click(222, 222)});
  CHECK(read(Form::kX10, " %, %,").left_over == " %,");  // what follows has a prefix of its own
}

TEST_CASE("a click and the wheel, as new terminals report them") {
  CHECK(read(Form::kSgr, "0;1;1M").keys == std::vector{click(0, 0)});
  CHECK(read(Form::kSgr, "0;320;100M").keys == std::vector{click(99, 319)});
  CHECK(read(Form::kSgr, "64;5;12M").keys == std::vector{Key{0, Special::kWheelUp}});
  CHECK(read(Form::kSgr, "65;5;12M").keys == std::vector{Key{0, Special::kWheelDown}});
  CHECK(read(Form::kSgr, "0;65536;65536M").keys == std::vector{click(65535, 65535)});
}

TEST_CASE("keys that are held do not change a click") {
  for (const char* button : {"4", "8", "16", "28"}) {
    CHECK(read(Form::kSgr, std::string(button) + ";1;1M").keys == std::vector{click(0, 0)});
  }
  CHECK(read(Form::kX10, "0%,").keys == std::vector{click(11, 4)});
}

TEST_CASE("other buttons, releases and movements are read, and do nothing") {
  for (const char* report : {"#%,", "!%,", "\"%,", "@%,", "b%,", "  ,", " % "}) {
    const Read result = read(Form::kX10, report);
    CHECK(result.keys.empty());
    CHECK(result.left_over.empty());
    CHECK_FALSE(result.open);
  }
  for (const char* report : {"0;1;1m", "1;1;1M", "2;1;1M", "32;1;1M", "66;1;1M", "128;1;1M", "0;0;1M", "0;1;0M"}) {
    const Read result = read(Form::kSgr, report);
    CHECK(result.keys.empty());
    CHECK(result.left_over.empty());
    CHECK_FALSE(result.open);
  }
}

TEST_CASE("a report that is cut off waits for its rest, and drops it for any other key") {
  for (const char* part : {"", " ", " %"}) CHECK(read(Form::kX10, part).open);
  for (const char* part : {"", "0", "0;", "0;12;3"}) CHECK(read(Form::kSgr, part).open);
  CHECK(read(Form::kX10, " \x1b").left_over == "\x1b");
  CHECK(read(Form::kSgr, "0;1q").left_over == "q");
  CHECK(read(Form::kSgr, "0;1Mq").left_over == "Mq");
  CHECK(read(Form::kSgr, "0;1;1;q").left_over == ";q");
  CHECK(read(Form::kSgr, "0;65537;1M").keys.empty());
  CHECK(read(Form::kSgr, "0;99999999999999999999;1M").keys.empty());
  CHECK_FALSE(read(Form::kSgr, "0;1q").open);

  MouseReport report;
  CHECK_FALSE(report.take(' ').taken);  // nothing has begun
  report.begin(Form::kX10);
  constexpr std::uint32_t kCodeOfCurses = 0x102;  // KEY_DOWN
  CHECK_FALSE(report.take(kCodeOfCurses).taken);
  CHECK_FALSE(report.is_open());
  report.begin(Form::kX10);
  CHECK(report.take(' ').taken);
  report.begin(Form::kSgr);  // a new one replaces it
  for (const char each : {'0', ';', '2', ';', '3'}) CHECK(report.take(static_cast<unsigned char>(each)).taken);
  CHECK(report.take('M').key == click(2, 1));
}
