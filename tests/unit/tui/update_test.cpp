// SPDX-License-Identifier: Apache-2.0

#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/scene.hpp"
#include "tui/keymap.hpp"
#include "tui/view_state.hpp"
#include "view/columns.hpp"

using namespace twtrace;
using test::Scene;
using tui::Mode;
using tui::Special;
using tui::Tab;
using view::SortColumn;

namespace {

struct Wave : Scene {
  Wave() { test::record_wave(*this); }
  SortColumn sort() const { return state.current().sort; }
};

}  // namespace

TEST_CASE("every view has its key, and Tab goes round") {
  Wave scene;
  for (char32_t key = U'1'; key <= U'6'; ++key) {
    scene.press(key);
    CHECK(scene.state.tab == static_cast<Tab>(key - U'1'));
  }
  scene.press(Special::kTab);
  CHECK(scene.state.tab == Tab::kProcesses);
  scene.press(Special::kBackTab);
  CHECK(scene.state.tab == Tab::kEvents);
}

TEST_CASE("the cursor stays among the rows and on the screen") {
  Wave scene;
  for (const Special key : {Special::kUp, Special::kPageUp, Special::kHome, Special::kWheelUp}) {
    scene.press(key);
    CHECK(scene.state.current().selected == 0);
  }
  scene.press(Special::kDown);
  CHECK(scene.state.current().selected == 1);
  for (const Special key : {Special::kEnd, Special::kPageDown, Special::kDown, Special::kWheelDown}) {
    scene.press(key);
    CHECK(scene.state.current().selected == 2);
  }
  scene.press(U'g');
  CHECK(scene.state.current().selected == 0);
  scene.press(U'G');
  CHECK(scene.state.current().selected == 2);
  scene.press(U'k');
  scene.press(U'j');
  CHECK(scene.state.current().selected == 2);
  const tui::Context nothing;
  CHECK(tui::settle(scene.state, nothing).current().selected == 0);
  tui::Context long_list;
  long_list.rows = 1000;
  long_list.page = 10;
  tui::ViewState state;
  state.current().selected = 500;
  CHECK(tui::settle(state, long_list).current().top == 491);
  state.current().top = 900;
  CHECK(tui::settle(state, long_list).current().top == 500);
}

TEST_CASE("every way to sort") {
  Wave scene;
  const std::pair<char32_t, SortColumn> keys[] = {
      {U'L', SortColumn::kLive}, {U'O', SortColumn::kOverflow}, {U'P', SortColumn::kPid}};
  for (const auto& [key, column] : keys) {
    scene.press(key);
    CHECK(scene.sort() == column);
  }
  scene.press(U'<');
  CHECK(scene.sort() == SortColumn::kPid);  // the first column
  scene.press(U'>');
  CHECK(scene.sort() == SortColumn::kComm);
  scene.press(U'I');
  CHECK(scene.state.current().reverse);
  scene.press(U'R');
  CHECK_FALSE(scene.state.current().reverse);
  for (const tui::Key key : {tui::Key{0, Special::kF6}, tui::Key{U's', Special::kNone}}) {
    scene.state.current().sort = SortColumn::kCreatedRate;
    scene.press(key);
    CHECK(scene.state.mode == Mode::kSortMenu);
    scene.press(Special::kDown);
    scene.press(Special::kEnter);
    CHECK(scene.sort() == SortColumn::kOverflowRate);
  }
  scene.press(Special::kF6);
  scene.press(Special::kEnd);
  scene.press(Special::kEscape);
  CHECK(scene.sort() == SortColumn::kOverflowRate);
  scene.press(U'6');
  for (const char32_t key : U"sLOPIR<>") {
    if (key == 0) break;
    scene.state.notice.clear();
    scene.press(key);
    CHECK(scene.state.mode == Mode::kRows);
    CHECK(scene.state.notice == "events are always sorted by time");
    CHECK_FALSE(scene.state.current().reverse);
  }
}

TEST_CASE("events that come while it is paused push none out of the picture") {
  tui::EventLog log;
  const auto add = [&](std::int64_t from, std::int64_t to) {
    for (; from != to; ++from) {
      model::Event event;
      event.time_unix_ms = from;
      log.add(event);
    }
  };
  add(0, 3);
  log.hold(true);
  const std::uint64_t added = log.added();
  add(3, 6000);
  CHECK(log.added() == added);
  CHECK(log.events().size() == 3);
  log.hold(true);
  log.hold(false);
  CHECK(log.added() > added);
  REQUIRE(log.events().size() == tui::EventLog::kEvents);
  CHECK(log.events().front().time_unix_ms == 1000);
  CHECK(log.events().back().time_unix_ms == 5999);
}

TEST_CASE("rows are not sorted by what they do not have") {
  Wave scene;
  scene.press(U'2');
  scene.press(U'L');
  scene.press(U'P');
  CHECK(scene.sort() == SortColumn::kLive);
  CHECK(scene.state.notice == "the rows of this view have no pid to sort by");
  for (const view::SortName& sort : view::sort_names()) {
    scene.state.current().sort = SortColumn::kLive;
    scene.press(Special::kF6);
    for (const view::SortName& other : view::sort_names()) {
      if (other.column == SortColumn::kLive) break;
      scene.press(Special::kUp);
    }
    while (view::sort_names()[scene.state.menu].column != sort.column) scene.press(Special::kDown);
    scene.press(Special::kEnter);
    INFO(sort.name);
    CHECK((scene.sort() == sort.column) == view::can_sort(model::Group::kService, sort.column));
  }
}

TEST_CASE("a filter is live, and Esc restores the one before") {
  Wave scene;
  for (const tui::Key key : {tui::Key{U'/', Special::kNone}, tui::Key{U'f', Special::kNone}, tui::Key{0, Special::kF3},
                             tui::Key{0, Special::kF4}}) {
    scene.press(key);
    REQUIRE(scene.state.mode == Mode::kFilter);
    scene.type("queueq");
    scene.press(Special::kBackspace);
    CHECK(scene.state.filter == "queue");
    CHECK(scene.composer.compose(scene.state).rows.size() == 1);
    scene.press(Special::kEscape);
    CHECK(scene.state.filter.empty());
  }
  scene.press(U'/');
  scene.type("web");
  scene.press(Special::kEnter);
  CHECK(scene.state.mode == Mode::kRows);
  CHECK(scene.state.filter == "web");
  scene.press(U'/');
  scene.type("x");
  CHECK(scene.state.filter == "webx");
  scene.press(Special::kEscape);
  CHECK(scene.state.filter == "web");
  scene.press(Special::kEscape);
  CHECK(scene.state.filter.empty());
  // A wide character goes as a whole; and there is an end to what can be typed.
  scene.press(U'/');
  scene.press(U'\u65E5');
  scene.press(Special::kBackspace);
  CHECK(scene.state.filter.empty());
  scene.type(std::string(5000, 'x'));
  CHECK(scene.state.filter.size() == 200);
}

TEST_CASE("pausing freezes the picture, t and T step through it") {
  Wave scene;
  scene.press(U't');
  CHECK_FALSE(scene.state.paused_at);
  CHECK(scene.state.notice.find("paused") != std::string::npos);
  for (const char32_t key : {U' ', U'Z'}) {
    scene.press(key);
    CHECK(scene.state.paused_at == 12U);
    scene.press(U't');
    scene.press(U't');
    CHECK(scene.state.paused_at == 10U);
    CHECK(scene.composer.compose(scene.state).sample == 10);
    CHECK(scene.composer.compose(scene.state).behind_s == 2);
    scene.press(U'T');
    CHECK(scene.state.paused_at == 11U);
    for (int i = 0; i < 30; ++i) scene.press(U't');
    CHECK(scene.state.paused_at == 1U);
    CHECK(scene.state.notice.find("oldest") != std::string::npos);
    scene.press(key);
    CHECK_FALSE(scene.state.paused_at);
  }
}

TEST_CASE("a paused sample that is not kept any more gives way to the oldest that is") {
  Scene scene;
  scene.sample(10);
  scene.press(U' ');
  for (int second = 0; second < 700; ++second) scene.sample(10);
  const std::uint64_t oldest = scene.history.oldest();
  REQUIRE(oldest > 1);
  CHECK(scene.composer.compose(scene.state).sample == oldest);
  CHECK(scene.press(U'z').zero == oldest);
  CHECK(scene.press(U'z').zero == 0U);
  scene.press(U'T');
  CHECK(scene.composer.compose(scene.state).sample == oldest + 1);
}

TEST_CASE("K and J go by a minute, B and E to the ends, while paused") {
  Wave scene;
  for (int second = 13; second <= 150; ++second) scene.sample(0);
  for (const char32_t key : {U'K', U'J', U'B', U'E'}) {
    scene.press(key);
    CHECK_FALSE(scene.state.paused_at);
    CHECK(scene.state.notice.find("paused") != std::string::npos);
  }
  scene.press(U' ');
  scene.press(U'K');
  CHECK(scene.state.paused_at == 90U);
  scene.press(U'K');
  CHECK(scene.state.paused_at == 30U);
  scene.press(U'K');
  CHECK(scene.state.paused_at == 1U);
  scene.press(U'J');
  CHECK(scene.state.paused_at == 61U);
  scene.press(U'E');
  CHECK(scene.state.paused_at == 150U);
  scene.press(U'J');
  CHECK(scene.state.notice == "this is the newest sample");
  scene.press(U'B');
  CHECK(scene.state.paused_at == 1U);
}

TEST_CASE("a replay plays from sample to sample until the end, or a step") {
  Wave scene;
  scene.state.replay = true;
  scene.state.paused_at = 1;
  const auto play_on = [&scene] {
    const tui::Context context = tui::context_of(scene.composer.compose(scene.state), scene.state, {24, 80});
    scene.state = tui::play_on(scene.state, context);
  };
  play_on();
  CHECK(scene.state.paused_at == 1U);
  scene.press(U' ');
  play_on();
  play_on();
  CHECK(scene.state.paused_at == 3U);
  scene.press(U'T');
  CHECK(scene.state.paused_at == 4U);
  CHECK_FALSE(scene.state.playing);
  scene.press(U' ');
  for (int i = 0; i < 30; ++i) play_on();
  CHECK(scene.state.paused_at == 12U);
  CHECK_FALSE(scene.state.playing);
  CHECK_FALSE(scene.press(U'w').write);
}

TEST_CASE("the interval can be typed, doubled and halved, within reason") {
  Wave scene;
  scene.press(U'd');
  scene.type("2.5");
  scene.press(Special::kEnter);
  CHECK(scene.state.delay_s == 2.5);
  scene.press(U'+');
  CHECK(scene.state.delay_s == 5);
  scene.press(U'-');
  scene.press(U'-');
  CHECK(scene.state.delay_s == 1.25);
  for (int i = 0; i < 20; ++i) scene.press(U'-');
  CHECK(scene.state.delay_s == tui::kShortestDelayS);
  for (const char* nonsense : {"", "x", "-1", "0", "nan", "inf", "1x"}) {
    scene.press(U'd');
    scene.type(nonsense);
    scene.press(Special::kEnter);
    CHECK(scene.state.delay_s == tui::kShortestDelayS);
    CHECK(scene.state.mode == Mode::kRows);
  }
  scene.press(U'd');
  scene.type("9");
  scene.press(Special::kEscape);
  CHECK(scene.state.delay_s == tui::kShortestDelayS);
}

TEST_CASE("details open on the row under the cursor and follow it") {
  Wave scene;
  scene.press(U'P');
  scene.press(Special::kDown);
  scene.press(Special::kEnter);
  REQUIRE(scene.state.open);
  CHECK(scene.state.mode == Mode::kDetail);
  CHECK(scene.composer.compose(scene.state).detail->row.process->comm == "queue-worker");
  scene.press(Special::kF1);
  CHECK(scene.state.mode == Mode::kHelp);
  scene.press(Special::kEscape);
  CHECK(scene.state.mode == Mode::kDetail);
  scene.press(Special::kEscape);
  CHECK(scene.state.mode == Mode::kRows);
  CHECK_FALSE(scene.state.open);

  scene.press(U'F');
  REQUIRE(scene.state.follow);
  scene.press(U'L');  // another order: the cursor goes with the row
  scene.draw({24, 80});
  const auto& rows = scene.composer.compose(scene.state).rows;
  CHECK(rows.at(scene.state.current().selected).process->comm == "queue-worker");
  scene.press(U'F');
  CHECK_FALSE(scene.state.follow);
}

TEST_CASE("what is asked for over the details goes back to them, and sorting to the rows") {
  Wave scene;
  scene.press(Special::kEnter);
  REQUIRE(scene.state.open);
  const std::uint64_t id = scene.state.open->id;
  for (const Special leave : {Special::kEnter, Special::kEscape}) {
    scene.press(U'd');
    scene.type("2");
    scene.press(leave);
    CHECK(scene.state.mode == Mode::kDetail);
    REQUIRE(scene.state.open);
    CHECK(scene.state.open->id == id);
  }
  CHECK(scene.state.delay_s == 2);
  scene.press(U's');
  scene.press(Special::kEnter);
  CHECK(scene.state.mode == Mode::kRows);
  CHECK_FALSE(scene.state.open);
  scene.press(U'h');
  scene.press(Special::kEscape);
  CHECK(scene.state.mode == Mode::kRows);
}

TEST_CASE("zero, idle rows, command lines, writing, redrawing, quitting, unknown keys") {
  Wave scene;
  CHECK(scene.press(U'z').zero == 12U);
  CHECK(scene.composer.compose(scene.state).rows.at(0).counts.created() == 0);
  CHECK(scene.press(U'z').zero == 0U);
  scene.press(U'i');
  CHECK(scene.state.hide_idle);
  scene.press(U'c');
  CHECK(scene.state.command_line);
  CHECK(scene.press(U'w').write);
  CHECK(scene.press(Special::kF5).redraw);
  CHECK(scene.press(char32_t{12}).redraw);
  for (const tui::Key key : {tui::Key{U'q', Special::kNone}, tui::Key{0, Special::kF10}, tui::Key{3, Special::kNone}}) {
    CHECK(scene.press(key).quit);
  }
  scene.press(U'x');
  CHECK(scene.state.notice.find("F1") != std::string::npos);
  scene.press(Special::kUnknown);
  CHECK(scene.state.notice.find("F1") != std::string::npos);
}

TEST_CASE("^C and F10 end it from everywhere, and q is text where text is typed") {
  for (const Mode mode : {Mode::kRows, Mode::kDetail, Mode::kHelp, Mode::kFilter, Mode::kSortMenu, Mode::kDelay}) {
    CHECK(tui::key_action({3, Special::kNone}, mode).action == tui::Action::kQuit);
    CHECK(tui::key_action({0, Special::kF10}, mode).action == tui::Action::kQuit);
  }
  CHECK(tui::key_action({U'q', Special::kNone}, Mode::kFilter).action == tui::Action::kType);
}

TEST_CASE("help has a line for every key") {
  std::set<std::string> keys;
  for (const tui::HelpLine& line : tui::help_lines()) {
    CHECK_FALSE(line.text.empty());
    CHECK(line.keys.size() <= 14);
    const std::string all(line.keys);
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = std::min(all.find(' ', at), all.size());
      CHECK(keys.insert(all.substr(at, end - at)).second);
      at = end + 1;
    }
  }
  for (char32_t key = U'!'; key < 0x7F; ++key) {
    const bool bound = tui::key_action({key, Special::kNone}, Mode::kRows).action != tui::Action::kNone;
    const bool is_digit = key >= U'1' && key <= U'6';
    const bool is_shifted_plus = key == U'=';
    INFO(static_cast<char>(key));
    if (!is_digit && !is_shifted_plus) CHECK(bound == (keys.count(std::string(1, static_cast<char>(key))) == 1));
  }
}
