// SPDX-License-Identifier: Apache-2.0
// Every key and click that help lists is pressed, and the screen changes as the line of help says.

#include <array>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/scene.hpp"
#include "tui/keymap.hpp"

using namespace twtrace;
using tui::Special;

namespace {

constexpr tui::Size kSize{24, 80};

/// Forty services, the busiest first, of which the last is idle; 150 samples; and one event.
struct Services : test::Scene {
  Services() {
    for (int second = 0; second < 150; ++second) {
      for (std::uint32_t i = 1; i <= 40; ++i) {
        const std::string name = 's' + std::to_string(100 + i);
        const std::uint64_t refused = i == 2 ? 1 : 0;
        act({41 - i, name, name + ".service", i % 2 == 0 ? model::Role::kServer : model::Role::kClient,
             static_cast<std::uint16_t>(8000 + i), test::made(i == 40 ? 0 : 100 - i, 0, refused)});
      }
      sample(500'000, 500'000);
    }
    log.add(test::event());
  }
};

/// "Up" or "^C", as help calls it.
tui::Key key_of(std::string_view name) {
  static const std::map<std::string_view, Special> kSpecial = {{"Up", Special::kUp},
                                                               {"Down", Special::kDown},
                                                               {"PgUp", Special::kPageUp},
                                                               {"PgDn", Special::kPageDown},
                                                               {"Home", Special::kHome},
                                                               {"End", Special::kEnd},
                                                               {"Left", Special::kLeft},
                                                               {"Right", Special::kRight},
                                                               {"Enter", Special::kEnter},
                                                               {"Esc", Special::kEscape},
                                                               {"Tab", Special::kTab},
                                                               {"Backspace", Special::kBackspace},
                                                               {"wheel-up", Special::kWheelUp},
                                                               {"wheel-down", Special::kWheelDown},
                                                               {"F1", Special::kF1},
                                                               {"F2", Special::kF2},
                                                               {"F3", Special::kF3},
                                                               {"F4", Special::kF4},
                                                               {"F5", Special::kF5},
                                                               {"F6", Special::kF6},
                                                               {"F10", Special::kF10}};
  if (name == "Space") return {U' ', Special::kNone};
  if (name.size() == 1) return {static_cast<char32_t>(name[0]), Special::kNone};
  if (name.size() == 2 && name[0] == '^') return {static_cast<char32_t>(name[1] - '@'), Special::kNone};
  const auto special = kSpecial.find(name);
  if (special == kSpecial.end()) FAIL("what is the key " << name << "?");
  return {0, special->second};
}

/// What the user sees: '>' begins the line under the cursor, and a last line says what else happens.
std::string seen(Services& scene, const tui::Effects& effects) {
  tui::DrawOptions options;
  options.command_line = [](std::uint32_t, const std::string& comm) { return std::optional(comm + " --serve"); };
  const tui::Frame frame = scene.draw(kSize, options);
  std::string text;
  for (std::size_t row = 0; row < kSize.rows; ++row) {
    const tui::Style style = frame.at(row, 0).style;
    text += style == tui::Style::kSelected || style == tui::Style::kSelectedAlarm ? ">" : " ";
    text += frame.text(row) + '\n';
  }
  if (effects.quit) text += "(quit)\n";
  if (effects.redraw) text += "(redraw)\n";
  if (effects.write) text += "(write)\n";
  return text;
}

/// A key by its name, or "click:TEXT" for a click on that text.
tui::Effects press(Services& scene, std::string_view name) {
  constexpr std::string_view kClick = "click:";
  if (name.substr(0, kClick.size()) != kClick) return scene.press(key_of(name), kSize);
  const tui::Frame frame = scene.draw(kSize);
  for (std::size_t row = 0; row < kSize.rows; ++row) {
    const auto column = frame.text(row).find(name.substr(kClick.size()));
    if (column == std::string::npos) continue;
    return scene.press({0, Special::kClick, static_cast<std::uint16_t>(row), static_cast<std::uint16_t>(column)},
                       kSize);
  }
  FAIL("nothing shows " << name);
  return {};
}

bool shows(const std::string& screen, std::string_view text) { return screen.find(text) != std::string::npos; }

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// A key, the keys before it, and a text that is on the screen before it or after it, not both.
struct Promise {
  std::string_view key;
  std::string_view before_it;
  std::string_view shown_before;  ///< empty: not looked at
  std::string_view shown_after;   ///< the same
};

constexpr std::array kPromises = {
    Promise{"Up", "Down", ">!  139 s102", ">   140 s101"},
    Promise{"Down", "", ">   140 s101", ">!  139 s102"},
    Promise{"k", "Down", ">!  139 s102", ">   140 s101"},
    Promise{"j", "", ">   140 s101", ">!  139 s102"},
    Promise{"wheel-up", "Down Down Down Down", ">   136 s105", ">!  139 s102"},
    Promise{"wheel-down", "", ">   140 s101", ">   137 s104"},
    Promise{"click:LIVE", "", "by created/s ", "by live "},
    Promise{"click:LIVE", "click:LIVE", "by live  ", "by live rev"},
    Promise{"click:Ports", "", "[1Processes]", "[3Ports]"},
    Promise{"click:s103", "", "", "Timeline, "},
    Promise{"PgUp", "End", ">   101 s140", ">   116 s125"},
    Promise{"PgDn", "", ">   140 s101", ">   125 s116"},
    Promise{"Home", "End", ">   101 s140", ">   140 s101"},
    Promise{"End", "", ">   140 s101", ">   101 s140"},
    Promise{"g", "G", ">   101 s140", ">   140 s101"},
    Promise{"G", "", ">   140 s101", ">   101 s140"},
    Promise{"1", "2", "[2Services]", "[1Processes]"},
    Promise{"2", "", "[1Processes]", "[2Services]"},
    Promise{"3", "", "[1Processes]", "[3Ports]"},
    Promise{"4", "", "[1Processes]", "[4Peers]"},
    Promise{"5", "", "[1Processes]", "[5Namespaces]"},
    Promise{"6", "", "[1Processes]", "[6Events]"},
    Promise{"Tab", "", "[1Processes]", "[2Services]"},
    Promise{"Tab", "6", "[6Events]", "[1Processes]"},
    Promise{"Enter", "Down", "1-16/40", "s102  s102.service  server port 8002"},
    Promise{"Enter", "", "by created/s", "Timeline, "},
    Promise{"Esc", "Enter", "Timeline, ", "by created/s"},
    Promise{"/", "", "", "Filter: _"},
    Promise{"F3", "", "", "Filter: _"},
    Promise{"F4", "", "", "Filter: _"},
    Promise{"f", "", "", "Filter: _"},
    Promise{"3", "/ s 1 0", "1-9/9", "1-1/1"},
    Promise{"Backspace", "/ s 1 0 3", "1-1/1", "1-9/9"},
    Promise{"Enter", "/ s 1 0 3", "Filter: s103_", "/s103  by created/s"},
    Promise{"Esc", "/ s 1 0 3", "Filter: s103_", "by created/s  1-16/40"},
    Promise{"Esc", "/ s 1 0 3 Enter", "/s103", "by created/s  1-16/40"},
    Promise{"7", "/ p o r t > 8 0 3", "1-16/40", "1-3/3"},
    Promise{"0", "/ o v e r f l o w >", "expected a value", "1-1/1"},
    Promise{"u", "", "", "Filter: service=_"},
    Promise{"F6", "", "PID COMMAND", "> created/s "},
    Promise{"s", "", "PID COMMAND", "> created/s "},
    Promise{"Enter", "s Down", "> overflow/s ", "by overflow/s"},
    Promise{"Esc", "s Down", "> overflow/s ", "by created/s"},
    Promise{"<", "", "by created/s ", "by port "},
    Promise{">", "", "by created/s ", "by created "},
    Promise{"I", "", "by created/s  ", "by created/s reversed"},
    Promise{"R", "", "by created/s  ", "by created/s reversed"},
    Promise{"L", "", "by created/s ", "by live "},
    Promise{"O", "", "by created/s ", "by overflow "},
    Promise{"P", "", "by created/s ", "by pid "},
    Promise{"C", "", "PID COMMAND", "> [x] PID "},
    Promise{"F2", "", "PID COMMAND", "> [x] PID "},
    Promise{"Space", "C", "> [x] PID ", "> [ ] PID "},
    Promise{"Enter", "C", "> [x] PID ", "> [ ] PID "},
    Promise{"Esc", "C Space", "> [ ] PID ", "   COMMAND "},
    Promise{"Left", "", "", "no column is hidden on the left"},
    Promise{"Left", "Right", "OVERFLOW/s", "OVERFLOW  LIVE"},
    Promise{"Right", "", "OVERFLOW  LIVE", "OVERFLOW/s"},
    Promise{"Space", "", "", "PAUSED 0.0s ago, sample 150 of 150"},
    Promise{"Space", "Space", "PAUSED 0.0s ago, sample 150 of 150", ""},
    Promise{"Z", "", "", "PAUSED 0.0s ago, sample 150 of 150"},
    Promise{"Z", "Z", "PAUSED 0.0s ago, sample 150 of 150", ""},
    Promise{"t", "Space", "sample 150 of", "sample 149 of 150"},
    Promise{"T", "Space t t", "sample 148 of", "sample 149 of 150"},
    Promise{"K", "Space", "sample 150 of", "sample 90 of 150"},
    Promise{"J", "Space K K", "sample 30 of", "sample 90 of 150"},
    Promise{"B", "Space", "sample 150 of", "sample 1 of 150"},
    Promise{"E", "Space B", "sample 1 of", "sample 150 of 150"},
    Promise{"d", "", "F1 help", "Seconds between samples: _"},
    Promise{"Enter", "d 2 . 5", "every 1s", "every 2.5s"},
    Promise{"Esc", "d 2 . 5", "Seconds between samples: 2.5_", "F1 help"},
    Promise{"+", "", "every 1s", "every 2s"},
    Promise{"-", "", "every 1s", "every 0.5s"},
    Promise{"z", "", "  14850 ", "  since 0.0s  "},
    Promise{"z", "", "overflow 1.0/s total 150", "overflow 1.0/s total 0"},
    Promise{"z", "z", "  since 0.0s  ", "  14850 "},
    Promise{"F", "", "", "  following  "},
    Promise{"Home", "End F", "  following  ", ">   140 s101"},
    Promise{"i", "End", ">   101 s140", "no idle"},
    Promise{"i", "i", "idle rows are hidden", "all rows"},
    Promise{"c", "", "", " s101 --serve "},
    Promise{"c", "c", " s101 --serve ", "process names"},
    Promise{"w", "", "", "(write)"},
    Promise{"F1", "", "PID COMMAND", "Up Down k j  move"},
    Promise{"h", "", "PID COMMAND", "Up Down k j  move"},
    Promise{"?", "", "PID COMMAND", "Up Down k j  move"},
    Promise{"Down", "h", "1-17/32", "2-18/32"},
    Promise{"x", "h", "Up Down k j  move", "PID COMMAND"},
    Promise{"F5", "", "", "(redraw)"},
    Promise{"^L", "", "", "(redraw)"},
    Promise{"q", "", "", "(quit)"},
    Promise{"F10", "", "", "(quit)"},
    Promise{"^C", "", "", "(quit)"},
};

/// The keys of a line of help, each by itself.
std::vector<std::string> keys_of(const tui::HelpLine& line) {
  std::vector<std::string> keys;
  for (const std::string& word : words_of(line.keys)) {
    if (word == "1-6") {
      for (char key = '1'; key <= '6'; ++key) keys.emplace_back(1, key);
    } else if (word == "wheel") {
      keys.insert(keys.end(), {"wheel-up", "wheel-down"});
    } else {
      keys.push_back(word);
    }
  }
  return keys;
}

}  // namespace

TEST_CASE("every key and click changes the screen as help says") {
  for (const Promise& promise : kPromises) {
    Services scene;
    tui::Effects effects;
    for (const std::string& key : words_of(promise.before_it)) effects = press(scene, key);
    const std::string before = seen(scene, effects);
    const std::string after = seen(scene, press(scene, promise.key));
    INFO(promise.before_it << " [" << promise.key << "]\n" << before << "\n" << after);
    CHECK(shows(before, promise.shown_before));
    if (!promise.shown_after.empty()) CHECK_FALSE(shows(before, promise.shown_after));
    CHECK(shows(after, promise.shown_after));
    if (!promise.shown_before.empty()) CHECK_FALSE(shows(after, promise.shown_before));
  }
}

TEST_CASE("every key and click of help is among those that are pressed") {
  std::set<std::string, std::less<>> pressed;
  for (const Promise& promise : kPromises) pressed.emplace(promise.key.substr(0, promise.key.find(':')));
  for (const tui::HelpLine& line : tui::help_lines()) {
    for (const std::string& key : keys_of(line)) CHECK(pressed.count(key) == 1);
  }
}
