// SPDX-License-Identifier: Apache-2.0
#include "app/live.hpp"

#include <unistd.h>

#include <chrono>
#include <unordered_map>
#include <utility>

#include "app/command.hpp"
#include "base/log.hpp"
#include "kernel/procfs.hpp"
#include "model/history.hpp"
#include "tui/composer.hpp"
#include "tui/layout.hpp"
#include "tui/terminal.hpp"
#include "tui/view_state.hpp"

namespace twtrace::app {
namespace {

/// Command lines do not change: a process that has ended keeps its own here. Forgets everything when it grows too
/// large.
class CommandLines {
 public:
  std::optional<std::string> find(std::uint32_t pid) {
    if (known_.size() > kMost) known_.clear();
    const auto found = known_.find(pid);
    if (found != known_.end()) return found->second;
    return known_.emplace(pid, procfs_.cmdline(pid)).first->second;
  }

 private:
  static constexpr std::size_t kMost = 10'000;
  kernel::Procfs procfs_;
  std::unordered_map<std::uint32_t, std::optional<std::string>> known_;
};

std::size_t tab_of(model::Group group) {
  switch (group) {
    case model::Group::kProcess:
    case model::Group::kPid:
      return static_cast<std::size_t>(tui::Tab::kProcesses);
    case model::Group::kService:
      return static_cast<std::size_t>(tui::Tab::kServices);
    case model::Group::kPort:
      return static_cast<std::size_t>(tui::Tab::kPorts);
    case model::Group::kPeer:
      return static_cast<std::size_t>(tui::Tab::kPeers);
    case model::Group::kNetns:
      return static_cast<std::size_t>(tui::Tab::kNamespaces);
  }
  return 0;
}

tui::ViewState first_state(const Options& options) {
  tui::ViewState state;
  state.tab = static_cast<tui::Tab>(tab_of(options.view.group));
  for (tui::TabState& tab : state.tabs) tab.sort = options.view.sort;
  if (options.view.group == model::Group::kPid) state.process_group = model::Group::kPid;
  state.delay_s = std::max(options.delay_s, tui::kShortestDelayS);
  return state;
}

/// The session's samples on one side, the terminal on the other.
class Live {
 public:
  Live(EventLoop& loop, Session& session, const Options& options, tui::Terminal terminal)
      : loop_(loop),
        session_(session),
        options_(options),
        terminal_(std::move(terminal)),
        composer_(history_, log_, options.view),
        state_(first_state(options)) {
    look_.charset = terminal_.charset();
    look_.command_line = [this](std::uint32_t pid) { return command_lines_.find(pid); };
    session_.on_event([this](const model::Event& event) { log_.add(event); });
  }
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;
  ~Live() { session_.on_event({}); }

  base::Result<void> run() {
    if (auto sampled = sample(); !sampled) return sampled;
    draw();
    if (auto set = set_interval(); !set) return set;
    while (!done_) {
      const auto wake = loop_.wait(session_.ring_fd());
      if (!wake) return tl::unexpected(wake.error());
      if (auto handled = handle(*wake); !handled) return handled;
    }
    return {};
  }

 private:
  base::Result<void> handle(EventLoop::Wake wake) {
    switch (wake) {
      case EventLoop::Wake::kStop:
        done_ = true;
        return {};
      case EventLoop::Wake::kRing:
        return session_.drain();
      case EventLoop::Wake::kTimer:
        return tick();
      case EventLoop::Wake::kInput:
        return read_keys();
      case EventLoop::Wake::kResize:
        draw();
        return {};
      case EventLoop::Wake::kSuspend:
        terminal_.suspend();
        loop_.stop_self();
        terminal_.resume();
        draw();
        return {};
      case EventLoop::Wake::kDeadline:
      case EventLoop::Wake::kChild:
        return {};  // there is neither
    }
    return {};
  }

  base::Result<void> tick() {
    if (auto sampled = sample(); !sampled) return sampled;
    if (options_.iterations != 0 && ++samples_ >= options_.iterations) done_ = true;
    draw();
    return {};
  }

  base::Result<void> sample() {
    if (state_.tab == tui::Tab::kPeers || state_.open) session_.count_ports();
    if (auto sampled = session_.sample(false); !sampled) return sampled;
    session_.append_to(history_);
    if (std::string line = logs_.newest(); !line.empty()) state_.notice = std::move(line);
    return {};
  }

  base::Result<void> set_interval() {
    return loop_.set_interval(std::chrono::nanoseconds(static_cast<std::int64_t>(state_.delay_s * 1e9)));
  }

  base::Result<void> read_keys() {
    const auto keys = terminal_.read_keys();
    if (!keys) return tl::unexpected(keys.error());
    for (const tui::Key& key : *keys) {
      if (auto done = press(key); !done) return done;
    }
    if (!keys->empty() && !done_) draw();
    return {};
  }

  base::Result<void> press(const tui::Key& key) {
    const tui::Tab tab_before = state_.tab;
    const double delay_before = state_.delay_s;
    const tui::Command command = tui::command_for(key, state_.mode);
    tui::Transition next = tui::update(state_, command, settled_context());
    state_ = std::move(next.state);
    done_ = done_ || next.effects.quit;
    if (next.effects.redraw) terminal_.forget();
    if (next.effects.zero) history_.set_zero(*next.effects.zero);
    if (next.effects.write) state_.notice = "no capture file can be written yet; -b --json writes every sample";
    if (state_.tab == tui::Tab::kPeers && tab_before != state_.tab) session_.count_ports();
    return state_.delay_s != delay_before ? set_interval() : base::Result<void>();
  }

  tui::Context settled_context() {
    const tui::Picture& picture = composer_.compose(state_);
    const tui::Size size = terminal_.size();
    state_ = tui::settle(std::move(state_), tui::context_of(picture, state_, size));
    return tui::context_of(picture, state_, size);
  }

  void draw() {
    settled_context();
    terminal_.paint(tui::draw(composer_.compose(state_), state_, terminal_.size(), look_));
  }

  EventLoop& loop_;
  Session& session_;
  const Options& options_;
  base::LogHold logs_;  ///< before the terminal: it speaks when that is gone
  tui::Terminal terminal_;
  model::History history_;
  tui::EventLog log_;
  tui::Composer composer_;
  tui::ViewState state_;
  tui::Look look_;
  CommandLines command_lines_;
  std::uint64_t samples_ = 0;
  bool done_ = false;
};

}  // namespace

bool can_show_live(const Options& options) {
  const bool wanted = !options.batch && options.format == Format::kTable && ::isatty(STDOUT_FILENO) != 0;
  if (!wanted) return false;
  std::string why = ::isatty(STDIN_FILENO) == 0 ? "standard input is no terminal, so no key can be read"
                                                : tui::why_unusable(STDOUT_FILENO);
  if (why.empty()) return true;
  spdlog::warn("{}; the table follows in batches, as with -b", why);
  return false;
}

base::Result<int> run_live(EventLoop& loop, Session& session, const Options& options) {
  if (auto watching = loop.watch_terminal(STDIN_FILENO); !watching) return tl::unexpected(watching.error());
  session.record_peers(true);
  tui::TerminalOptions wanted;
  wanted.input = STDIN_FILENO;
  wanted.output = STDOUT_FILENO;
  wanted.color = options.color == output::Color::kAlways;
  auto terminal = tui::Terminal::open(wanted);
  if (!terminal) return tl::unexpected(terminal.error());
  Live live(loop, session, options, std::move(*terminal));
  if (auto done = live.run(); !done) return tl::unexpected(done.error());
  return kExitOk;
}

}  // namespace twtrace::app
