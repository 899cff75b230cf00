// SPDX-License-Identifier: Apache-2.0
// The common part of the live view and a replay: a terminal that shows a history, and its keys.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/event_loop.hpp"
#include "app/option_groups.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "model/history.hpp"
#include "tui/composer.hpp"
#include "tui/event_log.hpp"
#include "tui/layout.hpp"
#include "tui/terminal.hpp"
#include "tui/view_state.hpp"

namespace twtrace::app {

/// The tab that shows a group.
tui::Tab tab_of(model::Group group);

/// Owns the terminal, and restores it on destruction. Holds log lines back meanwhile. Draw nothing before the history
/// has a sample. Not thread-safe.
class Screen {
 public:
  /// Takes the terminal of standard input and output. The caller owns the loop and keeps it alive.
  static base::Result<std::unique_ptr<Screen>> open(EventLoop& loop, const TableOptions& options,
                                                    const view::View& shown, model::HistoryLimits limits);
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  model::History& history() { return history_; }
  tui::EventLog& log() { return log_; }
  tui::ViewState& state() { return state_; }
  /// Sets the source of command lines.
  void set_command_lines(decltype(tui::DrawOptions::command_line) find) {
    draw_options_.command_line = std::move(find);
  }

  /// Sets the function that writes the history to a file when the user asks for it. It returns a message for the user.
  void set_write(std::function<std::string()> write) { write_ = std::move(write); }

  /// Sets the source of the events of a moment. Without it they are those added to log().
  void set_events(std::function<base::Result<std::vector<model::Event>>(std::int64_t until_unix_ms)> find) {
    find_events_ = std::move(find);
  }

  /// The marks of a capture, ascending in time.
  void set_marks(std::vector<model::Mark> marks) { composer_.set_marks(std::move(marks)); }

  /// Shows the newest log line as the notice.
  void show_log();
  /// What actions depend on now.
  tui::Context context();
  /// Paints, unless the terminal takes nothing because it is stopped or nobody reads it. In the background it stops
  /// this process instead, until the user brings it back.
  void draw();

  /// Draws for the first time. From here on the loop's timer uses the user's interval.
  base::Result<void> begin();
  /// Waits like the loop. Handles keys, a new size and suspension itself before it returns.
  base::Result<EventLoop::Wake> wait(int ring_fd);
  /// True if the user has quit, or a signal came.
  bool ended() const { return ended_; }

 private:
  Screen(EventLoop& loop, double delay_s, const view::View& shown, model::HistoryLimits limits, tui::Terminal terminal);
  base::Result<void> set_interval();
  const tui::Picture& compose();
  void find_events();
  tui::Context settle(const tui::Picture& picture, tui::Size size);
  base::Result<void> read_keys();
  void press(const tui::Key& key, tui::Effects& effects);
  void suspend(int signal);

  EventLoop& loop_;
  base::LogHold logs_;  ///< declared before the terminal, so it writes after that is gone
  tui::Terminal terminal_;
  model::History history_;
  tui::EventLog log_;
  tui::Composer composer_;
  tui::ViewState state_;
  tui::DrawOptions draw_options_;
  std::function<std::string()> write_;
  std::function<base::Result<std::vector<model::Event>>(std::int64_t until_unix_ms)> find_events_;
  std::uint64_t events_sample_ = 0;  ///< the sample whose events were loaded last
  bool ended_ = false;
};

}  // namespace twtrace::app
