// SPDX-License-Identifier: Apache-2.0
// The terminal. Only this file knows ncurses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tui/frame.hpp"
#include "tui/keymap.hpp"

namespace twtrace::tui {

/// Which terminal, and what it may show.
struct TerminalOptions {
  int input = 0;      ///< a descriptor of the terminal; the caller keeps it
  int output = 1;     ///< the same
  bool color = true;  ///< false: only bold, dim, underline and reverse
};

/// Why the terminal cannot be painted over, for example TERM=dumb or an unknown TERM. Empty if it can.
std::string why_unusable(int output);

/// Restores the terminal if there is a Terminal and this process is in its foreground. Never waits. A signal handler
/// may call it (signal-safety(7)). The process must end after it.
void rescue_terminal();

/// Owns the screen. Restores the previous contents on destruction, and when an unhandled signal ends the process.
/// Writes nothing to the terminal in the background. Only one may exist at a time. Not thread-safe. Signals that have a
/// handler remain the caller's, whatever ncurses would do with them.
class Terminal {
 public:
  static base::Result<Terminal> open(const TerminalOptions& options);
  Terminal(Terminal&&) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  /// According to the locale.
  Charset charset() const;
  /// Asks the kernel, so the result is right after SIGWINCH.
  Size size();
  /// Paints the cells that differ from those painted last.
  void paint(const Frame& frame);
  /// Makes the next paint() paint everything.
  void forget();
  /// Returns the pressed keys, without waiting. kFailure if the terminal is gone.
  base::Result<std::vector<Key>> read_keys();
  /// False while another job of the shell owns the terminal.
  bool in_foreground() const;
  /// False while painting would block, because the terminal is stopped (Ctrl-S) or nobody reads its output.
  bool takes_output() const;
  /// Gives the screen back for a while. In the background it does nothing, because the terminal is not ours to change.
  void suspend();
  /// Takes the screen again, in whatever state the terminal is. It also needs the foreground.
  void resume();

 private:
  struct Screen;
  explicit Terminal(std::unique_ptr<Screen> screen);
  std::unique_ptr<Screen> screen_;
};

}  // namespace twtrace::tui
