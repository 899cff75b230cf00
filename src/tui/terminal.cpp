// SPDX-License-Identifier: Apache-2.0
#include "tui/terminal.hpp"

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

// term.h defines this as a macro.
#undef columns

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/unique_fd.hpp"
#include "tui/builtin_terminfo.hpp"
#include "tui/mouse.hpp"

namespace twtrace::tui {
namespace {

/// How long to wait after a lone Esc, which may be the beginning of a function key.
constexpr int kEscapeDelayMs = 25;
/// After this time, what is typed is no longer taken for the rest of a mouse report that was cut off.
constexpr std::chrono::seconds kReportTime{1};
/// New terminals report the mouse in numbers (1006), for screens of any size. Old ones only know 1000.
constexpr const char* kMouseOn = "\x1b[?1006h\x1b[?1000h";
constexpr const char* kMouseOff = "\x1b[?1000l\x1b[?1006l";
constexpr int kX10Report = KEY_MAX + 1;
constexpr int kSgrReport = KEY_MAX + 2;
constexpr std::array<int, 7> kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
/// Signals that do not end a process by default, and signals that cannot be handled.
constexpr std::array<int, 9> kHarmless = {SIGCHLD, SIGCONT, SIGURG,  SIGWINCH, SIGTSTP,
                                          SIGTTIN, SIGTTOU, SIGSTOP, SIGKILL};

/// What a signal handler needs to restore the terminal. It may only call write() and tcsetattr() (signal-safety(7)).
struct Rescue {
  int input = -1;   ///< -1: there is nothing to restore
  int output = -1;  ///< non-blocking
  termios modes{};
  std::array<char, 256> text{};
  std::size_t length = 0;
};
Rescue rescue;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): a signal handler has no other way

bool has_foreground(int terminal) {
  const pid_t group = ::tcgetpgrp(terminal);
  return group < 0 || group == ::getpgrp();  // it fails where there is no job control
}

void on_end(int signal) {
  rescue_terminal();
  ::raise(signal);  // SA_RESETHAND: now it has its default effect
}

/// A string of the terminal's description; null if it has none. tigetstr(3) returns -1 for a name that is not a string
/// capability.
const char* capability(const char* name) {
  const char* text = ::tigetstr(name);
  return reinterpret_cast<std::intptr_t>(text) == -1 ? nullptr : text;
}

void append_capability(const char* name) {
  const char* text = capability(name);
  if (text == nullptr) return;
  const std::size_t size = std::strlen(text);
  if (rescue.length + size > rescue.text.size()) return;
  std::memcpy(rescue.text.data() + rescue.length, text, size);
  rescue.length += size;
}

void prepare_rescue(int input, int output, const termios& modes) {
  rescue.input = input;
  rescue.output = output;
  rescue.length = 0;
  rescue.modes = modes;
  if (capability("kmous") != nullptr) {
    rescue.length = std::strlen(kMouseOff);
    std::memcpy(rescue.text.data(), kMouseOff, rescue.length);
  }
  for (const char* name : {"sgr0", "rmkx", "cnorm", "rmcup"}) append_capability(name);
}

template <std::size_t Size>
bool is_among(const std::array<int, Size>& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

/// A stack that has overflowed cannot run a handler.
void use_other_stack() {
  static std::array<char, 65536> memory{};
  stack_t stack{};
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  ::sigaltstack(&stack, nullptr);
}

/// Handles every signal that would end the process. It handles a fault even if something else handles it, too.
void handle_ends() {
  use_other_stack();
  struct sigaction ours {};
  ours.sa_handler = on_end;
  ours.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
  for (int number = 1; number <= SIGRTMAX; ++number) {
    struct sigaction present {};
    if (is_among(kHarmless, number) || ::sigaction(number, nullptr, &present) != 0) continue;
    const bool by_default = (present.sa_flags & SA_SIGINFO) == 0 && present.sa_handler == SIG_DFL;
    if (by_default || is_among(kFaults, number)) ::sigaction(number, &ours, nullptr);
  }
}

void leave_ends() {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    struct sigaction present {};
    if (::sigaction(number, nullptr, &present) != 0 || present.sa_handler != on_end) continue;
    present = {};
    ::sigaction(number, &present, nullptr);
  }
}

// Pairs of the 16 ANSI colours on the terminal's own background. Nobody can read yellow on white.
enum Pair : short { kRedPair = 1, kGreenPair, kMagentaPair, kCyanPair };

void prepare_colors() {
  ::start_color();
  ::use_default_colors();
  ::init_pair(kRedPair, COLOR_RED, -1);
  ::init_pair(kGreenPair, COLOR_GREEN, -1);
  ::init_pair(kMagentaPair, COLOR_MAGENTA, -1);
  ::init_pair(kCyanPair, COLOR_CYAN, -1);
}

struct Look {
  attr_t attributes = A_NORMAL;
  short pair = 0;
};

Look look_of(Style style) {
  switch (style) {
    case Style::kNormal:
      return {};
    case Style::kDim:
      return {A_DIM, 0};
    case Style::kBold:
      return {A_BOLD, 0};
    case Style::kTitle:
      return {A_BOLD | A_UNDERLINE, 0};
    case Style::kSortTitle:
    case Style::kTab:
      return {A_BOLD | A_REVERSE, 0};
    case Style::kBar:
      return {A_NORMAL, kCyanPair};
    case Style::kGood:
      return {A_NORMAL, kGreenPair};
    case Style::kWarning:
      return {A_BOLD, kMagentaPair};
    case Style::kAlarm:
      return {A_BOLD, kRedPair};
    case Style::kSelected:
      return {A_REVERSE, 0};
    case Style::kSelectedAlarm:
      return {A_REVERSE | A_BOLD, kRedPair};
    case Style::kKey:
      return {A_BOLD, kCyanPair};
  }
  return {};
}

Key key_of_code(wint_t code) {
  const auto special = [](Special key) { return Key{0, key}; };
  switch (code) {
    case KEY_UP:
      return special(Special::kUp);
    case KEY_DOWN:
      return special(Special::kDown);
    case KEY_PPAGE:
      return special(Special::kPageUp);
    case KEY_NPAGE:
      return special(Special::kPageDown);
    case KEY_LEFT:
      return special(Special::kLeft);
    case KEY_RIGHT:
      return special(Special::kRight);
    case KEY_HOME:
      return special(Special::kHome);
    case KEY_END:
      return special(Special::kEnd);
    case KEY_ENTER:
      return special(Special::kEnter);
    case KEY_BACKSPACE:
      return special(Special::kBackspace);
    case KEY_BTAB:
      return special(Special::kBackTab);
    default:
      break;
  }
  constexpr std::array<std::pair<int, Special>, 7> kFunctionKeys = {{{KEY_F(1), Special::kF1},
                                                                     {KEY_F(2), Special::kF2},
                                                                     {KEY_F(3), Special::kF3},
                                                                     {KEY_F(4), Special::kF4},
                                                                     {KEY_F(5), Special::kF5},
                                                                     {KEY_F(6), Special::kF6},
                                                                     {KEY_F(10), Special::kF10}}};
  for (const auto& [number, key] : kFunctionKeys) {
    if (code == static_cast<wint_t>(number)) return special(key);
  }
  return special(Special::kUnknown);
}

Key key_of_character(wint_t character) {
  switch (character) {
    case '\r':
    case '\n':
      return {0, Special::kEnter};
    case 27:
      return {0, Special::kEscape};
    case 8:
    case 127:
      return {0, Special::kBackspace};
    case '\t':
      return {0, Special::kTab};
    default:
      return {static_cast<char32_t>(character), Special::kNone};
  }
}

/// A click that ncurses reports itself: only gpm on the console of Linux.
std::optional<Key> gpm_key() {
  MEVENT event{};
  if (::getmouse(&event) != OK || (event.bstate & BUTTON1_PRESSED) == 0 || event.x < 0 || event.y < 0) {
    return std::nullopt;  // the release of a button has no effect, and is no unknown key either
  }
  return Key{0, Special::kClick, static_cast<std::uint16_t>(event.y), static_cast<std::uint16_t>(event.x)};
}

const char* term_name() {
  const char* name = std::getenv("TERM");
  return name == nullptr || *name == '\0' ? "dumb" : name;
}

/// Makes the description of the terminal current: the system's, or the one that is compiled in. newterm() finds the
/// same.
bool find_description(int output) {
  int status = 0;
  if (::setupterm(term_name(), output, &status) == OK) return true;
  const char* builtin = builtin_terminfo(term_name());
  return builtin != nullptr && ::setenv("TERMINFO", builtin, 1) == 0 && ::setupterm(term_name(), output, &status) == OK;
}

/// Another, non-blocking open file of the same terminal, or the one that was passed in if opening fails.
base::UniqueFd open_without_blocking(int terminal) {
  const std::string path = "/proc/self/fd/" + std::to_string(terminal);
  base::UniqueFd opened(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return opened ? std::move(opened) : base::UniqueFd(::fcntl(terminal, F_DUPFD_CLOEXEC, 3));
}

bool is_gone(int fd) {
  pollfd watched{fd, 0, 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

}  // namespace

void rescue_terminal() {
  if (rescue.input < 0 || !has_foreground(rescue.input)) return;
  static_cast<void>(::tcsetattr(rescue.input, TCSANOW, &rescue.modes));
  if (::write(rescue.output, rescue.text.data(), rescue.length) < 0) {
    // Nothing can be done about it.
  }
}

std::string why_unusable(int output) {
  if (!find_description(output)) {
    return std::string("the terminal type \"") + term_name() + "\" is not known here";
  }
  const bool usable = capability("cup") != nullptr;
  ::del_curterm(::cur_term);
  return usable ? std::string() : std::string("a terminal of type \"") + term_name() + "\" cannot be painted over";
}

/// The state of ncurses. It gets separate streams, so that it never buffers into the program's stdout.
struct Terminal::Screen {
  TerminalOptions options;
  SCREEN* curses = nullptr;
  FILE* in = nullptr;
  FILE* out = nullptr;
  termios modes{};
  bool utf8 = false;
  bool colored = false;
  bool suspended = false;
  bool has_mouse = false;
  MouseReport report;
  std::chrono::steady_clock::time_point report_begun;
  base::UniqueFd rescue_output;
  std::optional<Frame> painted;

  Screen() = default;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  bool in_foreground() const { return has_foreground(options.input); }
  void suspend() {
    if (suspended || !in_foreground()) return;
    suspended = true;
    if (has_mouse) ::putp(kMouseOff);
    ::endwin();
    leave_ends();
    rescue.input = -1;
  }
  void take() {
    suspended = false;
    prepare_rescue(options.input, rescue_output.get(), modes);
    handle_ends();
    if (has_mouse) ::putp(kMouseOn);
  }
  void take_mouse() {
    if (std::strncmp(term_name(), "linux", 5) == 0) {
      ::mousemask(BUTTON1_PRESSED, nullptr);
      ::mouseinterval(0);
    }
    if (capability("kmous") == nullptr) return;
    // ncurses would wait for the end of a report that is cut off, and the view would stand still.
    ::define_key("\x1b[M", kX10Report);
    ::define_key("\x1b[<", kSgrReport);
    has_mouse = true;
    ::putp(kMouseOn);
  }
  void begin_report(MouseReport::Form form) {
    report.begin(form);
    report_begun = std::chrono::steady_clock::now();
  }
  /// As much of a report as has arrived.
  void read_report(std::vector<Key>& keys);
  ~Screen() {
    if (curses != nullptr) {
      suspend();
      leave_ends();
      rescue.input = -1;
      ::delscreen(curses);
    }
    if (in != nullptr) static_cast<void>(std::fclose(in));
    if (out != nullptr) static_cast<void>(std::fclose(out));
  }
};

Terminal::Terminal(std::unique_ptr<Screen> screen) : screen_(std::move(screen)) {}
Terminal::Terminal(Terminal&&) noexcept = default;
Terminal::~Terminal() = default;

base::Result<Terminal> Terminal::open(const TerminalOptions& options) {
  auto screen = std::make_unique<Screen>();
  screen->options = options;
  std::setlocale(LC_CTYPE, "");
  screen->utf8 = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
  screen->in = ::fdopen(::fcntl(options.input, F_DUPFD_CLOEXEC, 3), "r");
  screen->out = ::fdopen(::fcntl(options.output, F_DUPFD_CLOEXEC, 3), "w");
  if (screen->in == nullptr || screen->out == nullptr || ::tcgetattr(options.input, &screen->modes) != 0) {
    return base::fail_errno(errno, "cannot use the terminal", "run with -b, or without redirecting standard input");
  }
  ::set_escdelay(kEscapeDelayMs);
  // ncurses must not take over signals. They stay blocked, and the event loop reads them.
  screen->curses = ::newterm(term_name(), screen->out, screen->in);
  if (screen->curses == nullptr) {
    return base::fail(base::ErrorCode::kUnsupported, "cannot draw on this terminal", "run with -b");
  }
  screen->rescue_output = open_without_blocking(options.output);
  screen->take();
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::leaveok(stdscr, TRUE);
  ::curs_set(0);
  screen->take_mouse();
  screen->colored = options.color && ::has_colors();
  if (screen->colored) prepare_colors();
  return Terminal(std::move(screen));
}

Charset Terminal::charset() const { return screen_->utf8 ? Charset::kUnicode : Charset::kAscii; }

Size Terminal::size() {
  winsize window{};
  if (::ioctl(screen_->options.output, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0) {
    if (window.ws_row != LINES || window.ws_col != COLS) {
      ::resizeterm(window.ws_row, window.ws_col);
      forget();
    }
  }
  return {static_cast<std::size_t>(LINES), static_cast<std::size_t>(COLS)};
}

void Terminal::forget() {
  screen_->painted.reset();
  ::clearok(stdscr, TRUE);
}

namespace {

void paint_cell(const Cell& cell, int row, int column, bool colored) {
  const Look look = look_of(cell.style);
  std::array<wchar_t, std::tuple_size_v<decltype(cell.text)> + 1> text{};
  for (std::size_t i = 0; i < cell.text.size(); ++i) text[i] = static_cast<wchar_t>(cell.text[i]);
  cchar_t shown{};
  ::setcchar(&shown, text.data(), look.attributes, colored ? look.pair : static_cast<short>(0), nullptr);
  static_cast<void>(::mvadd_wch(row, column, &shown));  // returns ERR in the last corner, but paints it
}

}  // namespace

void Terminal::paint(const Frame& frame) {
  std::optional<Frame>& painted = screen_->painted;
  const bool all = !painted || painted->size() != frame.size();
  if (all) ::erase();
  for (std::size_t row = 0; row < frame.size().rows; ++row) {
    for (std::size_t column = 0; column < frame.size().columns; ++column) {
      const Cell& cell = frame.at(row, column);
      if (cell.width == 0 || (!all && painted->at(row, column) == cell)) continue;
      paint_cell(cell, static_cast<int>(row), static_cast<int>(column), screen_->colored);
    }
  }
  painted = frame;
  ::refresh();
}

void Terminal::Screen::read_report(std::vector<Key>& keys) {
  if (std::chrono::steady_clock::now() - report_begun > kReportTime) report.drop();
  while (report.is_open()) {
    const int code = ::getch();  // bytes, which are no text
    if (code == ERR) return;
    const MouseReport::Step step = report.take(static_cast<std::uint32_t>(code));
    if (step.key) keys.push_back(*step.key);
    if (!step.taken) ::ungetch(code);
  }
}

base::Result<std::vector<Key>> Terminal::read_keys() {
  std::vector<Key> keys;
  screen_->read_report(keys);
  wint_t code = 0;
  for (int kind = OK; !screen_->report.is_open() && (kind = ::get_wch(&code)) != ERR;) {
    if (kind != KEY_CODE_YES) {
      keys.push_back(key_of_character(code));
    } else if (code == kX10Report || code == kSgrReport) {
      screen_->begin_report(code == kX10Report ? MouseReport::Form::kX10 : MouseReport::Form::kSgr);
      screen_->read_report(keys);
    } else if (code == KEY_MOUSE) {
      if (const auto key = gpm_key()) keys.push_back(*key);
    } else if (code != KEY_RESIZE) {
      keys.push_back(key_of_code(code));
    }
  }
  if (keys.empty() && is_gone(screen_->options.input)) {
    return base::fail(base::ErrorCode::kFailure, "the terminal has gone");
  }
  return keys;
}

bool Terminal::in_foreground() const { return screen_->in_foreground(); }

bool Terminal::takes_output() const {
  pollfd watched{screen_->options.output, POLLOUT, 0};
  return ::poll(&watched, 1, 0) != 0;
}

void Terminal::suspend() { screen_->suspend(); }

void Terminal::resume() {
  if (!in_foreground()) return;
  if (!screen_->suspended) ::endwin();  // so that refresh() sets all modes again
  screen_->take();
  forget();
  ::refresh();
}

}  // namespace twtrace::tui
