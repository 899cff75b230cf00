// SPDX-License-Identifier: Apache-2.0
// The terminal: the only place that knows ncurses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tui/frame.hpp"
#include "tui/keymap.hpp"

namespace twtrace::tui {

struct TerminalOptions {
  int input = 0;      ///< a descriptor of the terminal; stays the caller's
  int output = 1;     ///< the same
  bool color = true;  ///< else only bold, dim, underline and reverse
};

/// Why the terminal cannot show a screen that is painted over; empty when it can. TERM=dumb and an unknown TERM are
/// such reasons.
std::string why_unusable(int output);

/// Gives the terminal back, if there is a Terminal and this process is in its foreground. Waits for nothing. May be
/// called by a signal handler (signal-safety(7)); the process must end then.
void rescue_terminal();

/// Owns the screen. What was there before comes back on destruction, and when a signal ends the process that nobody
/// handles. In the background nothing is written to the terminal. One at a time; not thread-safe. Signals that have a
/// handler stay the caller's, whatever ncurses would do about them.
class Terminal {
 public:
  static base::Result<Terminal> open(const TerminalOptions& options);
  Terminal(Terminal&&) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  /// As told by the locale.
  Charset charset() const;
  /// Asks the kernel, so that it is right after SIGWINCH.
  Size size();
  /// Paints the cells that differ from what was painted last.
  void paint(const Frame& frame);
  /// Paints everything on the next paint(), whatever the screen shows.
  void forget();
  /// The keys that were pressed, without waiting. kFailure when the terminal has gone.
  base::Result<std::vector<Key>> read_keys();
  /// False while another job of the shell has the terminal.
  bool in_foreground() const;
  /// False while the terminal is stopped (Ctrl-S), or nobody reads what it shows: painting would wait.
  bool takes_output() const;
  /// Gives the screen back for a while. In the background the terminal is not ours to change, and nothing happens.
  void suspend();
  /// Takes the screen again, whatever state the terminal is in. Needs the foreground, too.
  void resume();

 private:
  struct Screen;
  explicit Terminal(std::unique_ptr<Screen> screen);
  std::unique_ptr<Screen> screen_;
};

}  // namespace twtrace::tui
