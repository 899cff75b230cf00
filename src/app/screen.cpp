// SPDX-License-Identifier: Apache-2.0
#include "app/screen.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <utility>

#include "app/signals.hpp"

namespace twtrace::app {
namespace {

tui::ViewState first_state(double delay_s, const view::View& shown) {
  tui::ViewState state;
  state.tab = tab_of(shown.group);
  for (tui::TabState& tab : state.tabs) tab.sort = shown.sort;
  if (shown.group == model::Group::kPid) state.process_group = model::Group::kPid;
  state.delay_s = std::max(delay_s, tui::kShortestDelayS);
  return state;
}

}  // namespace

tui::Tab tab_of(model::Group group) {
  switch (group) {
    case model::Group::kProcess:
    case model::Group::kPid:
      return tui::Tab::kProcesses;
    case model::Group::kService:
      return tui::Tab::kServices;
    case model::Group::kPort:
      return tui::Tab::kPorts;
    case model::Group::kPeer:
      return tui::Tab::kPeers;
    case model::Group::kNetns:
      return tui::Tab::kNamespaces;
  }
  return tui::Tab::kProcesses;
}

base::Result<std::unique_ptr<Screen>> Screen::open(EventLoop& loop, const TableOptions& options,
                                                   const view::View& shown, model::HistoryLimits limits) {
  set_rescue(tui::rescue_terminal);
  loop.watch_terminal(STDIN_FILENO);  // before ncurses checks which signals have handlers
  tui::TerminalOptions wanted;
  wanted.input = STDIN_FILENO;
  wanted.output = STDOUT_FILENO;
  wanted.color = options.output.color() == output::Color::kAlways;
  auto terminal = tui::Terminal::open(wanted);
  if (!terminal) return tl::unexpected(terminal.error());
  return std::unique_ptr<Screen>(new Screen(loop, options.pace.delay_s, shown, limits, std::move(*terminal)));
}

Screen::Screen(EventLoop& loop, double delay_s, const view::View& shown, model::HistoryLimits limits,
               tui::Terminal terminal)
    : loop_(loop),
      terminal_(std::move(terminal)),
      history_(limits),
      composer_(history_, log_, shown),
      state_(first_state(delay_s, shown)) {
  draw_options_.charset = terminal_.charset();
}

Screen::~Screen() {
  const ForcedEnd soon;  // the terminal may have no reader
  terminal_.suspend();
}

void Screen::show_log() {
  if (std::string line = logs_.newest(); !line.empty()) state_.notice = std::move(line);
}

tui::Context Screen::settle(const tui::Picture& picture, tui::Size size) {
  state_ = tui::settle(std::move(state_), tui::context_of(picture, state_, size));
  return tui::context_of(picture, state_, size);
}

/// Loads events only while the events view is open, once per sample. With the last sample it loads all of them.
void Screen::find_events() {
  const std::uint64_t sample = history_.clamp(state_.paused_at.value_or(history_.newest()));
  if (!find_events_ || state_.tab != tui::Tab::kEvents || sample == events_sample_) return;
  events_sample_ = sample;
  const bool last = sample == history_.newest();
  auto found = find_events_(last ? std::numeric_limits<std::int64_t>::max() : history_.head(sample)->time_unix_ms);
  if (!found) state_.notice = found.error().what;
  log_.assign(found ? std::move(*found) : std::vector<model::Event>());
}

const tui::Picture& Screen::compose() {
  find_events();
  return composer_.compose(state_);
}

tui::Context Screen::context() { return settle(compose(), terminal_.size()); }

void Screen::draw() {
  if (!terminal_.in_foreground()) return suspend(SIGTTOU);
  if (!terminal_.takes_output()) return;
  const tui::Picture& picture = compose();
  const tui::Size size = terminal_.size();
  settle(picture, size);
  terminal_.paint(tui::draw(picture, state_, size, draw_options_));
}

base::Result<void> Screen::begin() {
  draw();
  return set_interval();
}

base::Result<void> Screen::set_interval() { return loop_.set_interval(std::chrono::duration<double>(state_.delay_s)); }

base::Result<EventLoop::Wake> Screen::wait(int ring_fd) {
  auto wake = loop_.wait(ring_fd);
  if (!wake) return wake;
  switch (*wake) {
    case EventLoop::Wake::kStop:
      ended_ = true;
      break;
    case EventLoop::Wake::kInput:
      if (auto read = read_keys(); !read) return tl::unexpected(read.error());
      break;
    case EventLoop::Wake::kResize:
      draw();
      break;
    case EventLoop::Wake::kSuspend:
      suspend(SIGTSTP);
      break;
    case EventLoop::Wake::kResume:
      terminal_.resume();
      draw();
      break;
    default:
      break;  // left to the caller
  }
  return wake;
}

base::Result<void> Screen::read_keys() {
  const double delay_before = state_.delay_s;
  const auto keys = terminal_.read_keys();
  if (!keys) return tl::unexpected(keys.error());
  tui::Effects effects;
  for (const tui::Key& key : *keys) press(key, effects);
  if (effects.write && write_) state_.notice = write_();
  ended_ = effects.quit;
  if (!keys->empty() && !ended_) draw();
  return state_.delay_s != delay_before ? set_interval() : base::Result<void>();
}

void Screen::press(const tui::Key& key, tui::Effects& effects) {
  const tui::Context now = context();
  std::optional<tui::KeyAction> action = tui::key_action(key, state_.mode);
  if (key.special == tui::Special::kClick) {
    action = tui::click_action(compose(), state_, terminal_.size(), draw_options_, key);
  }
  if (!action) return;
  tui::Transition next = tui::update(state_, *action, now);
  state_ = std::move(next.state);
  log_.hold(state_.paused_at && !state_.replay);
  effects.quit = effects.quit || next.effects.quit;
  effects.write = effects.write || next.effects.write;
  if (next.effects.redraw) terminal_.forget();
  if (next.effects.zero) history_.set_zero(*next.effects.zero);
}

/// SIGTTOU stops a background job that touches its terminal. So this process stops before it does that.
void Screen::suspend(int signal) {
  terminal_.suspend();
  stop_by(signal);
  while (!terminal_.in_foreground() && !end_is_asked()) loop_.stop_in_background();
  // SIGCONT is one of them.
  for (int number = next_signal(); number != 0; number = next_signal()) ended_ = ended_ || is_ending(number);
  if (ended_) return;
  terminal_.resume();
  draw();
}

}  // namespace twtrace::app
