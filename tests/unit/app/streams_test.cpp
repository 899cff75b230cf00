// SPDX-License-Identifier: Apache-2.0
#include "app/streams.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <climits>
#include <string>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using app::piece_for_pipe;

namespace {

/// A terminal as standard error, until its end. What is written to it can be read as it is.
class TerminalAsError {
 public:
  explicit TerminalAsError(unsigned short columns) : before_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
    int end = -1;
    int terminal = -1;
    const winsize size{24, columns, 0, 0};
    REQUIRE(::openpty(&end, &terminal, nullptr, nullptr, &size) == 0);
    end_.reset(end);
    terminal_.reset(terminal);
    REQUIRE(::fcntl(end, F_SETFL, O_NONBLOCK) == 0);
    REQUIRE(::dup2(terminal, STDERR_FILENO) == STDERR_FILENO);
  }
  TerminalAsError(const TerminalAsError&) = delete;
  TerminalAsError& operator=(const TerminalAsError&) = delete;
  ~TerminalAsError() { ::dup2(before_.get(), STDERR_FILENO); }

  std::string written() const {
    std::string text(4096, '\0');
    const ssize_t size = ::read(end_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }
  int descriptor() const { return terminal_.get(); }

 private:
  base::UniqueFd before_;
  base::UniqueFd end_;
  base::UniqueFd terminal_;
};

}  // namespace

TEST_CASE("a status takes one line, and makes room for whatever is written") {
  const TerminalAsError terminal(11);
  app::show_status("12 of 50");
  CHECK(terminal.written() == "\r12 of 50  \r");
  app::show_status("12 of 50");
  CHECK(terminal.written().empty());
  app::show_status("123 of 5,000");
  CHECK(terminal.written() == "\r123 of 5,~\r");
  app::write_stderr("done\n");
  CHECK(terminal.written() == "\r          \rdone\r\n");
  app::write_stderr("done\n");
  CHECK(terminal.written() == "done\r\n");
  app::show_status("1");
  CHECK(terminal.written() == "\r1         \r");
  CHECK(app::write_stdout(""));  // only looks for a reader
  CHECK(terminal.written().empty());
  app::clear_status();
  app::clear_status();
  CHECK(terminal.written() == "\r          \r");
}

TEST_CASE("a terminal that is stopped gets no status") {
  const TerminalAsError terminal(11);
  REQUIRE(::tcflow(terminal.descriptor(), TCOOFF) == 0);
  app::show_status("1");
  REQUIRE(::tcflow(terminal.descriptor(), TCOON) == 0);
  CHECK(terminal.written().empty());
}

TEST_CASE("a file gets no status") {
  const TerminalAsError back(11);
  const base::UniqueFd file(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  REQUIRE(::dup2(file.get(), STDERR_FILENO) == STDERR_FILENO);
  app::show_status("1");
  app::clear_status();
  CHECK(::lseek(file.get(), 0, SEEK_END) == 0);
}

TEST_CASE("a pipe gets as many whole lines as it takes at once") {
  const std::string line = std::string(99, 'x') + "\n";
  std::string text;
  while (text.size() <= PIPE_BUF) text += line;
  CHECK(piece_for_pipe(text) == PIPE_BUF / line.size() * line.size());
  CHECK(piece_for_pipe(line) == line.size());
  CHECK(piece_for_pipe("no newline") == 10);
  const std::string fits = std::string(PIPE_BUF - 1, 'x') + "\n";
  CHECK(piece_for_pipe(fits + line) == PIPE_BUF);
}

TEST_CASE("a line that a pipe does not take at once goes alone") {
  const std::string line = std::string(3 * PIPE_BUF, 'x') + "\n";
  CHECK(piece_for_pipe(line + "y\n") == line.size());
  CHECK(piece_for_pipe(std::string(2 * PIPE_BUF, 'x')) == 2 * PIPE_BUF);
  CHECK(piece_for_pipe("y\n" + line) == 2);
}
