// SPDX-License-Identifier: Apache-2.0
#include "tui/keymap.hpp"

#include <algorithm>

namespace twtrace::tui {
namespace {

constexpr Key of(char32_t character) { return {character, Special::kNone}; }
constexpr Key of(Special special) { return {0, special}; }

constexpr char32_t kCtrlC = 3;
constexpr char32_t kCtrlL = 12;

struct Binding {
  Key key;
  Action action;
  std::size_t number = 0;
};

/// Keys that belong together share one line of help.
struct Entry {
  HelpLine help;
  std::vector<Binding> bindings;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries = {
      {{"Up Down k j", "move"},
       {{of(Special::kUp), Action::kUp},
        {of(U'k'), Action::kUp},
        {of(Special::kDown), Action::kDown},
        {of(U'j'), Action::kDown}}},
      {{"wheel click", "move three rows; a title sorts, a tab shows its view, a row opens"},
       {{of(Special::kWheelUp), Action::kScrollUp}, {of(Special::kWheelDown), Action::kScrollDown}}},
      {{"PgUp PgDn", "move by a page"},
       {{of(Special::kPageUp), Action::kPageUp}, {of(Special::kPageDown), Action::kPageDown}}},
      {{"Home End g G", "first, last row"},
       {{of(Special::kHome), Action::kHome},
        {of(U'g'), Action::kHome},
        {of(Special::kEnd), Action::kEnd},
        {of(U'G'), Action::kEnd}}},
      {{"1-6 Tab", "processes, services, ports, peers, namespaces, events"},
       {{of(U'1'), Action::kView, 0},
        {of(U'2'), Action::kView, 1},
        {of(U'3'), Action::kView, 2},
        {of(U'4'), Action::kView, 3},
        {of(U'5'), Action::kView, 4},
        {of(U'6'), Action::kView, 5},
        {of(Special::kTab), Action::kNextView},
        {of(Special::kBackTab), Action::kPreviousView}}},
      {{"Enter Esc", "details of the row, and back"},
       {{of(Special::kEnter), Action::kOpen}, {of(Special::kEscape), Action::kBack}}},
      {{"/ F3 F4 f", "filter: words, comm=nginx, port>8000, overflow>0"},
       {{of(U'/'), Action::kFilter},
        {of(Special::kF3), Action::kFilter},
        {of(Special::kF4), Action::kFilter},
        {of(U'f'), Action::kFilter}}},
      {{"u", "filter by service"}, {{of(U'u'), Action::kServiceFilter}}},
      {{"F6 s < >", "sort: menu, column to the left, to the right"},
       {{of(Special::kF6), Action::kSortMenu},
        {of(U's'), Action::kSortMenu},
        {of(U'<'), Action::kSortLeft},
        {of(U'>'), Action::kSortRight}}},
      {{"I R", "reverse the order"}, {{of(U'I'), Action::kReverse}, {of(U'R'), Action::kReverse}}},
      {{"L O P", "sort by live, overflow, pid"},
       {{of(U'L'), Action::kSortByLive}, {of(U'O'), Action::kSortByOverflow}, {of(U'P'), Action::kSortByPid}}},
      {{"C F2", "choose columns"}, {{of(U'C'), Action::kColumnMenu}, {of(Special::kF2), Action::kColumnMenu}}},
      {{"Left Right", "scroll the columns"},
       {{of(Special::kLeft), Action::kColumnsToLeft}, {of(Special::kRight), Action::kColumnsToRight}}},
      {{"Space Z", "pause; counting goes on; replay: play, stop"},
       {{of(U' '), Action::kPause}, {of(U'Z'), Action::kPause}}},
      {{"t T", "while paused: previous, next sample"}, {{of(U't'), Action::kEarlier}, {of(U'T'), Action::kLater}}},
      {{"K J", "while paused: a minute earlier, later"},
       {{of(U'K'), Action::kMinuteEarlier}, {of(U'J'), Action::kMinuteLater}}},
      {{"B E", "while paused: oldest, newest sample"}, {{of(U'B'), Action::kOldest}, {of(U'E'), Action::kNewest}}},
      {{"d + -", "interval: type it, double, halve"},
       {{of(U'd'), Action::kAskDelay},
        {of(U'+'), Action::kLonger},
        {of(U'='), Action::kLonger},
        {of(U'-'), Action::kShorter}}},
      {{"z", "zero: counts since now; again: since start"}, {{of(U'z'), Action::kZero}}},
      {{"F", "follow the row"}, {{of(U'F'), Action::kFollow}}},
      {{"i", "hide idle rows"}, {{of(U'i'), Action::kHideIdle}}},
      {{"c", "name or command line"}, {{of(U'c'), Action::kCommandLine}}},
      {{"w", "write the last minutes to a capture file"}, {{of(U'w'), Action::kWrite}}},
      {{"F1 h ?", "this help"},
       {{of(Special::kF1), Action::kHelp}, {of(U'h'), Action::kHelp}, {of(U'?'), Action::kHelp}}},
      {{"F5 ^L", "redraw"}, {{of(Special::kF5), Action::kRedraw}, {of(kCtrlL), Action::kRedraw}}},
      {{"q F10 ^C", "quit"},
       {{of(U'q'), Action::kQuit}, {of(Special::kF10), Action::kQuit}, {of(kCtrlC), Action::kQuit}}},
  };
  return kEntries;
}

KeyAction in_rows(Key key) {
  for (const Entry& entry : entries()) {
    for (const Binding& binding : entry.bindings) {
      if (binding.key == key) return {binding.action, binding.number, 0};
    }
  }
  return {};
}

/// While the user types into a prompt, characters are text. Keys for moving and leaving still work.
KeyAction in_prompt(Key key) {
  if (key.character >= U' ') return {Action::kType, 0, key.character};
  switch (key.special) {
    case Special::kBackspace:
      return {Action::kErase};
    case Special::kHome:
    case Special::kEnd:
    case Special::kTab:
    case Special::kBackTab:
    case Special::kLeft:
    case Special::kRight:
    case Special::kF1:
    case Special::kF2:
    case Special::kF3:
    case Special::kF4:
    case Special::kF6:
      return {};
    default:
      return in_rows(key);
  }
}

bool is_one_of(Action action, std::initializer_list<Action> actions) {
  return std::find(actions.begin(), actions.end(), action) != actions.end();
}

constexpr std::initializer_list<Action> kMoves = {Action::kUp,         Action::kDown,   Action::kScrollUp,
                                                  Action::kScrollDown, Action::kPageUp, Action::kPageDown,
                                                  Action::kHome,       Action::kEnd};

KeyAction in_sort_menu(Key key) {
  const KeyAction bound = in_rows(key);
  const bool known = is_one_of(bound.action, kMoves) ||
                     is_one_of(bound.action, {Action::kOpen, Action::kBack, Action::kRedraw, Action::kQuit});
  return known ? bound : KeyAction{};
}

KeyAction in_column_menu(Key key) {
  if (key.character == U' ') return {Action::kToggleColumn};
  const KeyAction bound = in_rows(key);
  if (bound.action == Action::kOpen) return {Action::kToggleColumn};
  if (bound.action == Action::kColumnMenu) return {Action::kBack};
  const bool known =
      is_one_of(bound.action, kMoves) || is_one_of(bound.action, {Action::kBack, Action::kRedraw, Action::kQuit});
  return known ? bound : KeyAction{};
}

/// Every key except those for moving leaves help.
KeyAction in_help(Key key) {
  const KeyAction bound = in_rows(key);
  const bool known = is_one_of(bound.action, kMoves) || is_one_of(bound.action, {Action::kRedraw, Action::kQuit});
  return known ? bound : KeyAction{Action::kBack};
}

}  // namespace

KeyAction key_action(Key key, Mode mode) {
  switch (mode) {
    case Mode::kRows:
    case Mode::kDetail:
      return in_rows(key);
    case Mode::kHelp:
      return in_help(key);
    case Mode::kSortMenu:
      return in_sort_menu(key);
    case Mode::kColumnMenu:
      return in_column_menu(key);
    case Mode::kFilter:
    case Mode::kDelay:
      return in_prompt(key);
  }
  return {};
}

const std::vector<HelpLine>& help_lines() {
  static const std::vector<HelpLine> kLines = [] {
    std::vector<HelpLine> lines;
    for (const Entry& entry : entries()) lines.push_back(entry.help);
    return lines;
  }();
  return kLines;
}

}  // namespace twtrace::tui
