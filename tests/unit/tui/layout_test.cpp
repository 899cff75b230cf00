// SPDX-License-Identifier: Apache-2.0
// Frames of a recorded minute, compared with those in golden/. $TWTRACE_UPDATE_GOLDEN=1 writes them anew.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/escape.hpp"
#include "support/catch.hpp"
#include "support/entries.hpp"
#include "support/scene.hpp"
#include "view/columns.hpp"

using namespace twtrace;
using test::Scene;
using tui::Special;
using tui::Style;

namespace {

void check_golden(const tui::Frame& frame, const std::string& name) {
  const std::string path = std::string(TWTRACE_GOLDEN) + "/" + name + ".txt";
  if (std::getenv("TWTRACE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << frame.text();
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  INFO(name);
  CHECK(frame.text() == text.str());
}

bool shows(const tui::Frame& frame, const std::string& text) { return frame.text().find(text) != std::string::npos; }

/// The style of `text` where it first stands; what is before it in its line is ASCII.
Style style_of(const tui::Frame& frame, const std::string& text) {
  for (std::size_t row = 0; row < frame.size().rows; ++row) {
    const auto column = frame.text(row).find(text);
    if (column != std::string::npos) return frame.at(row, column).style;
  }
  FAIL("nothing shows " + text);
  return Style::kNormal;
}

}  // namespace

TEST_CASE("golden frames of a table that overflows") {
  const std::pair<const char*, tui::Size> sizes[] = {
      {"80x24", {24, 80}}, {"160x50", {50, 160}}, {"40x12", {12, 40}}, {"20x5", {5, 20}}};
  for (const auto& [name, size] : sizes) {
    Scene scene;
    test::record_wave(scene);
    check_golden(scene.draw(size), std::string("processes-") + name);
  }
}

TEST_CASE("golden frames of every view") {
  const char* const names[] = {"processes", "services", "ports", "peers", "namespaces", "events"};
  Scene scene;
  model::PeerKey peer{{}, {"10.0.0.9", std::uint16_t{6379}}};
  test::record_wave(scene);
  peer.identity = model::folded(scene.table.at(2)->identity);
  for (int i = 0; i < 30; ++i) scene.peers.count(peer, model::Event{});
  scene.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{4026531840U, peer.peer, {15000, 28232}, 1}});
  scene.act({2, "", "", model::Role::kClient, 6379, test::made(30)});
  scene.sample(5000);
  model::Event event = test::event();
  scene.log.add(event);
  event.kind = model::Event::Kind::kCreated;
  scene.log.add(event);
  event.kind = model::Event::Kind::kRemoved;
  event.reason = model::Event::Reason::kExpired;
  event.age_s = 60.01;
  scene.log.add(event);
  for (char32_t key = U'1'; key <= U'6'; ++key) {
    scene.press(key);
    check_golden(scene.draw({24, 80}), std::string("view-") + names[key - U'1']);
  }
  scene.press(U'1');
  scene.press(U'P');
  scene.press(Special::kDown);
  scene.press(Special::kEnter);
  check_golden(scene.draw({40, 100}), "detail");
  scene.press(U'?');
  check_golden(scene.draw({40, 80}), "help");
  scene.press(Special::kEscape);
  scene.press(Special::kEscape);
  scene.press(Special::kF6);
  check_golden(scene.draw({24, 80}), "sort-menu");
}

TEST_CASE("overflow is marked by colour, by a sign, and by name") {
  Scene scene;
  test::record_wave(scene);
  const tui::Frame frame = scene.draw({24, 80});
  CHECK(shows(frame, "! FULL scheduler.service holds 4,400 of 5,000 (88%)"));
  CHECK(shows(frame, "refused now: scheduler.service 900/s, 100%"));
  CHECK(style_of(frame, "! FULL scheduler") == Style::kAlarm);
  CHECK(style_of(frame, "!x") == Style::kAlarm);
  CHECK(shows(frame, "! FULL, needs ~54,121"));
  scene.press(U'O');
  CHECK(style_of(scene.draw({24, 80}), "!x") == Style::kSelectedAlarm);
}

TEST_CASE("the first line says what becomes of the table") {
  Scene scene;
  std::uint64_t in_use = 0;
  const auto record = [&](int seconds, std::uint64_t created, std::uint64_t removed) {
    for (int second = 0; second < seconds; ++second) {
      scene.act({1, "web", "web.service", model::Role::kServer, 8080, test::made(created)});
      in_use += created - removed;
      scene.sample(in_use);
    }
    return scene.draw({24, 80});
  };
  CHECK(shows(record(1, 80, 0), "TIME_WAIT 80/5,000  1%  ["));
  CHECK(shows(record(9, 80, 0), "]  filling to ~4,800  netns host"));
  CHECK(shows(record(50, 80, 0), "]  level at 4,800  netns host"));
  const tui::Frame level = record(60, 80, 80);
  CHECK(shows(level, "]  level at 4,800  netns host"));
  CHECK(style_of(level, "level at") == Style::kGood);
  CHECK(shows(record(10, 20, 80), "]  draining to ~1,200  netns host"));
  const tui::Frame draining = record(10, 0, 80);
  CHECK(shows(draining, "]  draining, empty in ~"));
  CHECK(style_of(draining, "draining") == Style::kGood);
  const tui::Frame filling = record(5, 250, 80);
  CHECK(shows(filling, "]  ! full in ~"));
  CHECK(style_of(filling, "! full in") == Style::kAlarm);
}

TEST_CASE("frames of any size are drawn") {
  Scene scene;
  test::record_wave(scene);
  scene.log.add(test::event());
  for (char32_t key = U'1'; key <= U'7'; ++key) {
    scene.press(key == U'7' ? U'1' : key);
    if (key == U'7') scene.press(Special::kEnter);
    for (std::size_t rows = 0; rows < 30; ++rows) {
      for (const std::size_t columns : {0U, 1U, 2U, 3U, 10U, 20U, 79U, 400U}) {
        const tui::Frame frame = scene.draw({rows, columns});
        CHECK(frame.size() == tui::Size{rows, columns});
      }
    }
  }
}

TEST_CASE("nothing to show is no reason to fail") {
  Scene scene;
  scene.sample(0);
  for (char32_t key = U'1'; key <= U'6'; ++key) {
    scene.press(key);
    CHECK(shows(scene.draw({24, 80}), "TIME_WAIT 0/5,000"));
    scene.press(Special::kEnter);
    CHECK(scene.state.mode == (key == U'5' ? tui::Mode::kDetail : tui::Mode::kRows));  // the host is a namespace
    scene.press(Special::kEscape);
  }
}

TEST_CASE("a namespace whose numbers are unknown is no full one") {
  Scene scene;
  model::Snapshot head;
  head.time_unix_ms = test::kTime;
  head.namespaces.resize(1);
  scene.history.append(std::make_shared<model::Snapshot>(head),
                       model::CurrentSource(scene.table, scene.peers, scene.namespaces));
  const tui::Frame frame = scene.draw({24, 80});
  CHECK(shows(frame, "TIME_WAIT -/-"));
  CHECK_FALSE(shows(frame, "%"));
  CHECK(shows(frame, "kernel n/a"));
}

TEST_CASE("several namespaces: nothing refused or missed stays unsaid") {
  Scene scene;
  for (int i = 1; i <= 6; ++i) {
    model::NetnsRow netns;
    netns.netns = 4026532000U + static_cast<std::uint32_t>(i);
    netns.limit = 1000;
    netns.in_use = 10;
    netns.missed = {i == 5 ? 3 : 0, 0};
    netns.counts.overflow_time_wait = i == 6 ? 17 : 0;
    netns.reconciled = true;
    scene.more.push_back(netns);
  }
  scene.sample(100);
  const tui::Frame frame = scene.draw({24, 80});
  CHECK(shows(frame, "netns 4026532001 10/1,000"));
  CHECK(shows(frame, "+4 more namespaces"));
  CHECK(shows(frame, "total 17"));
  CHECK(shows(frame, "missed 3 created"));
}

TEST_CASE("a namespace that got the number of one that is gone shows its own table") {
  Scene scene;
  scene.namespaces = {{1, 4026531840U, "host", {}, {}}, {2, 4026532000U, "", {}, {}}, {3, 4026532000U, "", {}, {}}};
  for (const auto& [id, in_use] : {std::pair(2U, 900U), std::pair(3U, 10U)}) {
    scene.act({id, "web", "web.service", model::Role::kServer, 8080, test::made(in_use), id});
    model::NetnsRow netns;
    netns.id = id;
    netns.netns = 4026532000U;
    netns.gone = id == 2;
    netns.counts.time_wait = in_use;
    netns.in_use = in_use;
    netns.limit = 1000;
    scene.more.push_back(netns);
  }
  scene.sample(0);
  scene.state.tab = tui::Tab::kNamespaces;
  const auto& rows = scene.composer.compose(scene.state).rows;
  REQUIRE(rows.size() == 3);
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(rows.at(i).use);
    CHECK(rows.at(i).use->taken == rows.at(i).counts.created());
  }
  CHECK(rows.at(2).netns_name == "host");
}

TEST_CASE("the namespaces view has every namespace, and one line for those that are gone with nothing counted") {
  Scene scene;
  constexpr std::uint32_t kPresent = 40;
  constexpr std::uint32_t kGone = 1500;
  for (std::uint32_t id = 2; id < 2 + kPresent + kGone; ++id) {
    model::NetnsRow netns;
    netns.id = id;
    netns.netns = 4026532000U + id;
    netns.gone = id >= 2 + kPresent;
    scene.namespaces.push_back({id, netns.netns, "", {}, {}});
    scene.more.push_back(netns);
  }
  test::record_wave(scene);
  scene.press(U'5');
  std::set<std::string> seen;
  std::string gone_line;
  for (std::uint32_t row = 0; row < kPresent + 2; ++row) {
    const tui::Frame frame = scene.draw({24, 80});
    for (std::size_t line = 0; line < frame.size().rows; ++line) {
      const std::string text = frame.text(line);
      if (text.find(" gone)") != std::string::npos) gone_line = text;
      if (text.rfind("   40265", 0) == 0) seen.insert(text.substr(3, 10));
    }
    scene.press(Special::kDown);
  }
  CHECK(seen.size() == kPresent);
  INFO(scene.draw({24, 80}).text());
  CHECK(gone_line.find("(1,500 gone)") != std::string::npos);
  scene.press(Special::kEnter);
  CHECK(scene.state.mode == tui::Mode::kRows);
  CHECK(scene.state.notice.find("no details") != std::string::npos);
  scene.press(Special::kUp);
  scene.press(Special::kEnter);
  CHECK(shows(scene.draw({24, 80}), "created 0"));
}

TEST_CASE("a pid that is typed does not undo the one of the command line") {
  Scene scene;
  test::record_wave(scene);
  view::View view;
  view.selector = test::selector("pid=101");
  tui::Composer composer{scene.history, scene.log, view};
  for (const auto& [text, rows] : {std::pair("", 1U), std::pair("pid=101", 1U), std::pair("pid=102", 0U)}) {
    INFO(text);
    scene.state.filter = text;
    CHECK(composer.compose(scene.state).rows.size() == rows);
  }
}

TEST_CASE("a filter takes the processes that a row merges, in every view") {
  Scene scene;
  test::record_wave(scene);
  for (const auto tab : {tui::Tab::kProcesses, tui::Tab::kServices, tui::Tab::kPorts, tui::Tab::kNamespaces}) {
    scene.state.tab = tab;
    scene.state.filter = "comm=schedul";
    CHECK(scene.composer.compose(scene.state).rows.size() == 1);
  }
}

TEST_CASE("rows that a filter takes and that are idle are said to be idle") {
  Scene scene;
  scene.act({1, "web", "web.service", model::Role::kServer, 8080, {}});
  scene.sample(0);
  scene.sample(0);
  scene.state.hide_idle = true;
  for (const char* filter : {"", "comm=web"}) {
    scene.state.filter = filter;
    CHECK(shows(scene.draw({24, 80}), "no row is busy; i shows the idle ones"));
  }
  scene.state.filter = "comm=nobody";
  CHECK(shows(scene.draw({24, 80}), "no row matches; Esc clears the filter"));
  scene.state.hide_idle = false;
  scene.state.filter.clear();
  CHECK(shows(scene.draw({24, 80}), " web "));
}

TEST_CASE("an empty table says why") {
  Scene scene;
  scene.sample(0);
  CHECK(shows(scene.draw({24, 80}), "no row yet"));
  scene.state.tab = tui::Tab::kEvents;
  CHECK(shows(scene.draw({24, 80}), "no event yet"));
  scene.state.tab = tui::Tab::kProcesses;
  test::record_wave(scene);
  CHECK_FALSE(shows(scene.draw({24, 80}), "no row"));
  for (const auto& [filter, tab, words] : {
           std::tuple("comm=nobody", tui::Tab::kProcesses, "no row matches; Esc clears the filter"),
           std::tuple("created>999999", tui::Tab::kServices, "no row matches; Esc clears the filter"),
           std::tuple("nobody", tui::Tab::kEvents, "no event matches; Esc clears the filter"),
           std::tuple("comm=", tui::Tab::kProcesses, "expected a value after comm=: for example comm=nginx"),
           std::tuple("PORTS=8082", tui::Tab::kProcesses, "unknown name \"PORTS\": did you mean \"port\"?"),
           std::tuple("overflow>0", tui::Tab::kEvents, "events have no amounts: filter them by words, as in /overflow"),
           std::tuple("pid=812", tui::Tab::kPeers, "peers are counted per service and process name"),
       }) {
    INFO(filter);
    scene.state.filter = filter;
    scene.state.tab = tab;
    CHECK(shows(scene.draw({24, 80}), words));
  }
  view::View view;
  view.selector = test::selector("comm=nobody");
  tui::Composer composer{scene.history, scene.log, view};
  scene.state.filter.clear();
  scene.state.tab = tui::Tab::kProcesses;
  CHECK(composer.compose(scene.state).no_rows == "no row matches the command-line filters");
}

TEST_CASE("who is refused is named though only its service is known") {
  Scene scene;
  scene.sample(100);
  model::Identity identity;
  identity.netns = 1;
  identity.service = {"systemd", "nginx.service", "/system.slice/nginx.service", {}, {}};
  identity.role = model::Role::kServer;
  identity.port = 80;
  identity.attribution = model::Attribution::kCgroup;
  scene.table.add(1, 1, identity);
  scene.table.set(1, test::made(0, 0, 7), 0, false);
  scene.sample(5000);
  CHECK(shows(scene.draw({24, 80}), "refused now: nginx.service 7.0/s, 100%"));
}

TEST_CASE("hostile names are drawn aligned, in UTF-8 and in ASCII") {
  const std::string names[] = {"\x1b[2J\x1b[H", "a\nb", "\xff\xfe", "\u65E5\u672C\u8A9E", "e\u0301", "\u202Eevil", ""};
  Scene scene;
  std::uint32_t slot = 0;
  for (const std::string& name : names) {
    ++slot;
    scene.act({slot, name, name + ".service", model::Role::kServer, 80, test::made(10, 0, 0, 1)});
  }
  scene.sample(70);
  for (const tui::Charset charset : {tui::Charset::kUnicode, tui::Charset::kAscii}) {
    tui::DrawOptions options;
    options.charset = charset;
    const tui::Frame frame = scene.draw({24, 80}, options);
    std::size_t role_column = SIZE_MAX;
    for (std::size_t row = 0; row < frame.size().rows; ++row) {
      std::u32string line;  // by columns
      for (std::size_t column = 0; column < frame.size().columns; ++column) {
        CHECK(frame.at(row, column).text[0] != 0x1b);
        line += frame.at(row, column).text[0];
      }
      const std::size_t at = line.find(U"server  ");
      if (at == std::u32string::npos || line[0] != U'!' || line[2] == U'r') continue;
      if (role_column == SIZE_MAX) role_column = at;
      CHECK(at == role_column);
    }
    CHECK(role_column != SIZE_MAX);
  }
}

TEST_CASE("thousands of short-lived processes are one row with a count") {
  Scene scene;
  for (std::uint32_t slot = 1; slot <= 3000; ++slot) {
    scene.act({slot, "curl", "cron.service", model::Role::kClient, 443, test::made(1), 1, true});
  }
  scene.sample(3000);
  CHECK(scene.composer.compose(scene.state).rows.size() == 1);
  const tui::Frame frame = scene.draw({24, 80});
  CHECK(shows(frame, "3000 pids curl"));
  CHECK(shows(frame, " x "));
}

TEST_CASE("only processes on the screen are asked for their command line") {
  Scene scene;
  scene.state.process_group = model::Group::kPid;
  for (std::uint32_t slot = 1; slot <= 1000; ++slot) {
    scene.act({slot, "php-cgi", "web.service", model::Role::kClient, 443, test::made(1)});
  }
  scene.sample(1000);
  std::size_t asked = 0;
  tui::DrawOptions options;
  options.command_line = [&asked](std::uint32_t pid, const std::string& comm) {
    ++asked;
    return std::optional<std::string>(comm + " -b " + std::to_string(pid));
  };
  scene.draw({24, 80}, options);
  CHECK(asked == 0);
  scene.press(U'c');
  CHECK(shows(scene.draw({24, 80}, options), "php-cgi -b 101"));
  CHECK(asked < 24);
}

namespace {

constexpr tui::Size kSmall{24, 80};

/// Clicks on `text` where it first stands; what is before it in its line is ASCII.
void click(Scene& scene, const std::string& text, tui::Size size = kSmall) {
  const tui::Frame frame = scene.draw(size);
  for (std::size_t row = 0; row < size.rows; ++row) {
    const auto column = frame.text(row).find(text);
    if (column == std::string::npos) continue;
    scene.press({0, Special::kClick, static_cast<std::uint16_t>(row), static_cast<std::uint16_t>(column)}, size);
    return;
  }
  FAIL("nothing shows " + text);
}

}  // namespace

TEST_CASE("a click on a title sorts, and again reverses") {
  Scene scene;
  test::record_wave(scene);
  click(scene, "LIVE");
  CHECK(shows(scene.draw(kSmall), "by live  1-3/3"));
  click(scene, "LIVE");
  CHECK(shows(scene.draw(kSmall), "by live reversed"));
  click(scene, "PID");
  CHECK(shows(scene.draw(kSmall), "by pid  1-3/3"));
  click(scene, "ROLE");  // nothing is sorted by it
  CHECK(shows(scene.draw(kSmall), "by pid  1-3/3"));
  CHECK(scene.state.notice.empty());
}

TEST_CASE("a click on a view shows it, on a row opens it, and elsewhere does nothing") {
  for (const tui::Size size : {kSmall, tui::Size{40, 160}}) {
    Scene scene;
    test::record_wave(scene);
    click(scene, "Ports", size);
    CHECK(scene.state.tab == tui::Tab::kPorts);
    click(scene, "Events", size);
    CHECK(scene.state.tab == tui::Tab::kEvents);
    click(scene, "Processes", size);
    CHECK(scene.state.tab == tui::Tab::kProcesses);
    click(scene, "queue-worker", size);
    REQUIRE(scene.state.mode == tui::Mode::kDetail);
    CHECK(scene.composer.compose(scene.state).detail->row.process->comm == "queue-worker");
    click(scene, "Services", size);
    CHECK(scene.state.mode == tui::Mode::kRows);
    CHECK(scene.state.tab == tui::Tab::kServices);
    const auto before = scene.draw(size).text();
    for (const std::uint16_t row : {std::uint16_t{0}, std::uint16_t{2}, static_cast<std::uint16_t>(size.rows - 2),
                                    static_cast<std::uint16_t>(size.rows - 1)}) {
      scene.press({0, Special::kClick, row, 1}, size);
      CHECK(scene.draw(size).text() == before);
    }
  }
}

TEST_CASE("clicks anywhere on a screen of any size are harmless") {
  Scene scene;
  test::record_wave(scene);
  scene.log.add(test::event());
  for (const tui::Size size : {tui::Size{0, 0}, tui::Size{3, 10}, tui::Size{8, 40}, tui::Size{31, 121}}) {
    for (char32_t key = U'1'; key <= U'6'; ++key) {
      for (std::size_t row = 0; row <= size.rows; ++row) {
        for (const std::uint16_t column : std::initializer_list<std::uint16_t>{0, 5, 39, 121, 65535}) {
          scene.press(key);
          scene.press({0, Special::kClick, static_cast<std::uint16_t>(row), column}, size);
          scene.draw(size);
          scene.press(Special::kEscape);
        }
      }
    }
  }
}

TEST_CASE("columns are chosen in a menu, per view") {
  Scene scene;
  test::record_wave(scene);
  CHECK_FALSE(shows(scene.draw(kSmall), "UID"));
  scene.press(Special::kF2);
  check_golden(scene.draw({40, 80}), "column-menu");
  scene.press(Special::kDown);  // to COMMAND, which is shown
  scene.press(U' ');
  click(scene, "UID", {40, 80});
  CHECK(shows(scene.draw({40, 80}), "[x] UID"));
  CHECK(shows(scene.draw({40, 80}), "[ ] COMMAND"));
  scene.press(U'C');
  REQUIRE(scene.state.mode == tui::Mode::kRows);
  CHECK(shows(scene.draw(kSmall), " UID"));
  CHECK_FALSE(shows(scene.draw(kSmall), "COMMAND"));
  scene.press(U'2');
  CHECK_FALSE(shows(scene.draw(kSmall), "UID"));
  scene.press(U'1');
  scene.press(U'C');
  scene.press(Special::kDown);
  scene.press(Special::kEnter);
  scene.press(Special::kEscape);
  CHECK(shows(scene.draw(kSmall), "COMMAND"));
  scene.press(U'6');
  scene.press(U'C');
  CHECK(scene.state.mode == tui::Mode::kRows);
  CHECK(scene.state.notice == "the columns of events cannot be chosen");
}

TEST_CASE("who was hurt has a column as soon as somebody was, and only where the user wants it") {
  Scene scene;
  test::record_wave(scene);
  constexpr tui::Size kWide{24, 160};
  CHECK_FALSE(shows(scene.draw(kWide), "FELT"));
  CHECK_FALSE(shows(scene.draw(kWide), "NO_PORT"));
  model::Counters counts;
  counts.no_port = 77;
  scene.act({9, "agent", "agent.service", model::Role::kClient, 9000, counts});
  scene.sample(100);
  CHECK(shows(scene.draw(kWide), "NO_PORT"));
  CHECK_FALSE(shows(scene.draw(kWide), "FELT"));
  CHECK(shows(scene.draw(kSmall), "NO_PORT"));  // agent would be a row of zeros
  scene.type("/sched");
  CHECK_FALSE(shows(scene.draw(kWide), "NO_PORT"));
  scene.press(Special::kEscape);

  const auto toggle = [&](const char* title) {
    scene.press(U'C');
    click(scene, title, {40, 80});
    scene.press(U'C');
  };
  toggle("FELT");
  CHECK(shows(scene.draw(kWide), "FELT"));  // zeros that were asked for
  toggle("NO_PORT");
  CHECK_FALSE(shows(scene.draw(kSmall), "NO_PORT"));
  toggle("NO_PORT");
  CHECK(shows(scene.draw(kSmall), "NO_PORT"));
}

TEST_CASE("a wish for a column outlives what made the column usual") {
  Scene scene;
  test::record_wave(scene);
  constexpr tui::Size kWide{24, 160};
  scene.press(U'C');
  click(scene, "FELT", {40, 80});
  scene.press(U'C');
  CHECK(shows(scene.draw(kWide), "FELT"));
  model::Counters counts;
  counts.resets_felt = 5;
  scene.act({9, "agent", "agent.service", model::Role::kClient, 9000, counts});
  scene.sample(100);
  CHECK(shows(scene.draw(kWide), "FELT"));
}

TEST_CASE("columns that have no room are scrolled to, and what names a row stays") {
  Scene scene;
  test::record_wave(scene);
  constexpr tui::Size kNarrow{24, 40};
  const std::string before = scene.draw(kNarrow).text();
  std::set<std::string> missing{" PID",     "SERVICE",    "ROLE",      "PORT",  "CREATED/s",
                                "CREATED ", "OVERFLOW/s", "OVERFLOW ", "LIVE ", "TABLE"};
  const auto look = [&] {
    const tui::Frame frame = scene.draw(kNarrow);
    CHECK(shows(frame, "COMMAND"));
    std::erase_if(missing, [&](const std::string& title) { return shows(frame, title); });
  };
  look();
  CHECK(missing.size() == 8);
  std::size_t steps = 0;
  for (; scene.state.notice != "no column is hidden on the right" && steps < 20; ++steps) {
    scene.press({0, Special::kRight}, kNarrow);
    look();
  }
  CHECK(missing == std::set<std::string>());
  CHECK(steps < 12);
  for (std::size_t step = 1; step < steps; ++step) scene.press({0, Special::kLeft}, kNarrow);
  CHECK(scene.state.notice.empty());
  CHECK(scene.draw(kNarrow).text() == before);
  scene.press({0, Special::kLeft}, kNarrow);
  CHECK(scene.state.notice == "no column is hidden on the left");
}

TEST_CASE("the column of namespaces is there where there are several") {
  Scene scene;
  test::record_wave(scene);
  constexpr tui::Size kWide{24, 160};
  CHECK_FALSE(shows(scene.draw(kWide), "NETNS"));
  model::NetnsRow other;
  other.id = 2;
  other.netns = 4026532222U;
  other.name = "blue";
  scene.more = {other};
  scene.act({2, "db", "db.service", model::Role::kServer, 5432, test::made(1)});
  scene.sample(100);
  CHECK(shows(scene.draw(kWide), "NETNS"));
  CHECK_FALSE(shows(scene.draw({24, 60}), "NETNS"));
}

TEST_CASE("where the command line selects no namespace, nothing is said to be in order") {
  Scene scene;
  test::record_wave(scene);
  CHECK_FALSE(shows(scene.draw({24, 80}), "no network namespace"));
  view::View nowhere;
  nowhere.selector = *view::parse_selector("netns=nos*", view::Grammar::kFilter);
  tui::Composer composer(scene.history, scene.log, nowhere);
  const tui::Picture& picture = composer.compose(scene.state);
  const tui::ViewState state = tui::settle(scene.state, tui::context_of(picture, scene.state, {24, 80}));
  const tui::Frame frame = tui::draw(picture, state, {24, 80}, {});
  CHECK(shows(frame, "no network namespace matches 'nos*' yet"));
  CHECK_FALSE(shows(frame, "no bucket was refused"));
}

TEST_CASE("after a load has ended, no view shows rows of zeros, and each the column that sorts") {
  Scene scene;
  scene.act(
      {1, "a-long-web-name", "a-service-with-a-very-long-name.service", model::Role::kServer, 8080, test::made(12345)});
  scene.act(
      {2, "queue-worker", "another-service-with-a-long-name.service", model::Role::kClient, 6379, test::made(30)});
  for (const std::uint32_t slot : {1U, 2U}) {
    model::PeerKey peer{model::folded(scene.table.at(slot)->identity),
                        {"2001:db8:1111:2222:3333:4444:5555:6666", std::uint16_t{6379}}};
    for (int i = 0; i < 30; ++i) scene.peers.count(peer, model::Event{});
  }
  scene.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{
      {4026531840U, {"2001:db8:1111:2222:3333:4444:5555:6666", std::uint16_t{6379}}, {12345, 28232}, 1}});
  scene.sample(12375, 131072);
  for (const std::uint32_t slot : {1U, 2U}) {
    scene.table.set(slot, scene.table.at(slot)->counts, 0, false);
  }
  scene.sample(0, 131072);
  for (const tui::Size size : {tui::Size{24, 80}, tui::Size{30, 100}}) {
    for (char32_t key = U'1'; key <= U'5'; ++key) {
      scene.press(key);
      INFO(static_cast<char>(key) << " at " << size.columns);
      CHECK(shows(scene.draw(size), " CREATED "));
      for (const view::SortName& sort : view::sort_names()) {
        scene.state.tabs[key - U'1'].sort = sort.column;
        INFO(sort.name);
        std::string titles = scene.draw(size).text();
        std::replace(titles.begin(), titles.end(), '\n', ' ');
        CHECK(titles.find(" CREATED ") != std::string::npos);
        for (const view::Column& column : view::live_columns(tui::group_of(scene.state)).all) {
          if (column.sort == sort.column)
            CHECK(titles.find(" " + std::string(column.title) + " ") != std::string::npos);
        }
      }
      scene.state.tabs[key - U'1'].sort = view::SortColumn::kCreatedRate;
    }
  }
}

TEST_CASE("a share of the table stands beside what is live") {
  Scene scene;
  test::record_wave(scene);
  const tui::Frame frame = scene.draw({24, 160});
  CHECK(shows(frame, "4400        900     3700 4400   88%"));
}

TEST_CASE("u filters by service") {
  Scene scene;
  test::record_wave(scene);
  scene.press(U'u');
  CHECK(shows(scene.draw(kSmall), "Filter: service=_"));
  scene.type("sched");
  scene.press(Special::kEnter);
  CHECK(scene.composer.compose(scene.state).rows.size() == 1);
}

TEST_CASE("a large screen has a graph of the table") {
  Scene scene;
  scene.sample(0);
  for (int second = 0; second < 20; ++second) scene.sample(static_cast<std::uint64_t>(second) * 200);
  scene.act({1, "web", "web.service", model::Role::kServer, 8080, test::made(10, 0, 0, 5)});
  scene.sample(5000);
  const std::int64_t now_ms = scene.history.head(scene.history.newest())->time_unix_ms;
  scene.composer.set_marks({{now_ms - 30'000, "deploy\x1b"}, {now_ms + 1000, "later"}});
  check_golden(scene.draw({30, 120}), "graph-120x30");
  CHECK(shows(scene.draw({30, 120}, {tui::Charset::kAscii, {}}), "####"));
  CHECK_FALSE(shows(scene.draw({30, 119}), "buckets in use"));
  CHECK_FALSE(shows(scene.draw({29, 120}), "buckets in use"));
  CHECK(style_of(scene.draw({30, 120}), "refused") == Style::kAlarm);
  scene.press(U'?');
  CHECK_FALSE(shows(scene.draw({30, 120}), "buckets in use"));
}

TEST_CASE("a table that is far from its limit is shown by its own height") {
  Scene scene;
  for (int second = 0; second < 5; ++second) scene.sample(130, 131072);
  const tui::Frame frame = scene.draw({30, 120});
  CHECK(shows(frame, "buckets in use, limit 131,072"));
  CHECK(shows(frame, "        200\n"));
}

TEST_CASE("lines of logs stand among the events of a replay, up to the sample shown") {
  Scene scene;
  scene.logs = std::make_shared<const std::vector<model::Log>>(
      std::vector<model::Log>{{model::Log::Kind::kFile, "/var/log/agents.log", "reset", {}},
                              {model::Log::Kind::kJournal, "web.service", "reset", {}}});
  scene.log_lines = {{0, test::kTime + 700, 1, "popped by\x1b a dead connection"}, {1, test::kTime + 500, 1, "first"}};
  scene.sample(10);
  scene.log_lines = {{1, test::kTime + 1900, 207, {}}};
  scene.sample(20);
  scene.sample(30);
  model::Event event = test::event();
  event.time_unix_ms = test::kTime + 600;
  scene.log.add(event);
  scene.state.tab = tui::Tab::kEvents;
  const auto listed = [&] {
    scene.draw({24, 80});
    std::vector<std::string> all;
    for (const tui::ListedEvent& each : scene.composer.compose(scene.state).events) {
      all.push_back(each.event != nullptr ? "event" : each.line->text.value_or("more"));
    }
    return all;
  };
  using Listed = std::vector<std::string>;
  CHECK(listed() == Listed{"more", "popped by\x1b a dead connection", "event", "first"});
  const tui::Frame frame = scene.draw({24, 80});
  CHECK(shows(frame, "03:04:07.578 log      journal of web.service: 207 more lines"));
  CHECK(shows(frame, "03:04:06.378 log      /var/log/agents.log: popped by\\x1B a dead connection"));
  CHECK(style_of(frame, "popped") == Style::kWarning);
  CHECK_FALSE(shows(frame, "log lines"));
  scene.state.filter = "agents";
  CHECK(listed() == Listed{"popped by\x1b a dead connection"});
  scene.state.filter = "comm=redis-worker";
  CHECK(listed() == Listed{"event"});
  scene.state.filter.clear();
  scene.state.paused_at = 1;
  CHECK(listed() == Listed{"popped by\x1b a dead connection", "event", "first"});
  scene.state.tab = tui::Tab::kProcesses;
  CHECK(shows(scene.draw({24, 80}), "log lines 2 (6 shows them)"));
  scene.state.paused_at = 2;
  CHECK(shows(scene.draw({24, 80}), "log lines 207 (6 shows them)"));
}

TEST_CASE("of very many lines of logs the newest are listed, on screens of every size") {
  Scene scene;
  scene.logs = std::make_shared<const std::vector<model::Log>>(
      std::vector<model::Log>{{model::Log::Kind::kFile, std::string(300, 'n'), "reset", {}}});
  for (int sample = 0; sample < 3; ++sample) {
    for (int i = 0; i < 3000; ++i) {
      scene.log_lines.push_back({0, test::kTime + 1000 * sample + i / 3, 1, std::to_string(3000 * sample + i)});
    }
    scene.sample(10);
  }
  scene.state.tab = tui::Tab::kEvents;
  const auto& events = scene.composer.compose(scene.state).events;
  REQUIRE(events.size() == tui::EventLog::kEvents);
  CHECK(events.front().time_unix_ms() == test::kTime + 2999);
  CHECK(std::is_sorted(events.begin(), events.end(),
                       [](const auto& a, const auto& b) { return a.time_unix_ms() > b.time_unix_ms(); }));
  for (const tui::Size size : {tui::Size{24, 80}, {5, 20}, {3, 8}, {2, 1}, {50, 400}}) scene.draw(size);
}
