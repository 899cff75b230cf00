// SPDX-License-Identifier: Apache-2.0
#include "app/streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

#include "app/signals.hpp"
#include "base/escape.hpp"

namespace twtrace::app {
namespace {

const char* remedy(int saved_errno) {
  switch (saved_errno) {
    case ENOSPC:
      return "make room on the device; what was written before is intact";
    case EINTR:
      return "a signal came while nobody read the output";
    case EBADF:
      return "it is closed: redirect it to a file, a pipe or a terminal";
    default:
      return "";
  }
}

tl::unexpected<base::Error> fail_write(int saved_errno) {
  auto error = base::fail_errno(saved_errno, "cannot write to standard output", remedy(saved_errno));
  // Tracing itself worked, whatever the reason.
  error.value().code = saved_errno == EPIPE ? base::ErrorCode::kReaderGone : base::ErrorCode::kFailure;
  return error;
}

bool reader_has_gone() {
  pollfd watched{STDOUT_FILENO, 0, 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLERR) != 0;
}

bool is_pipe(int fd) {
  struct stat found {};
  return ::fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode);
}

void wait_for_room(int fd) {
  pollfd watched{fd, POLLOUT, 0};
  ::poll(&watched, 1, -1);
}

/// 0 or errno.
int write_all(int fd, std::string_view text) {
  const bool pipe = is_pipe(fd);
  const OutputWait wait;
  while (!text.empty()) {
    if (wait.is_over()) return EINTR;
    const ssize_t written = ::write(fd, text.data(), pipe ? piece_for_pipe(text) : text.size());
    const int saved_errno = errno;
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (saved_errno == EAGAIN) {
      wait_for_room(fd);
    } else if (saved_errno != EINTR) {
      return saved_errno;
    }
  }
  return 0;
}

/// What the terminal shows; empty: nothing. A process has one standard error, so it has one status.
std::string shown_status;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// False if the terminal belongs to another job of the shell, or is stopped (Ctrl-S).
bool terminal_takes_status() {
  if (::isatty(STDERR_FILENO) == 0) return false;
  const pid_t group = ::tcgetpgrp(STDERR_FILENO);
  pollfd watched{STDERR_FILENO, POLLOUT, 0};
  return (group < 0 || group == ::getpgrp()) && ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLOUT) != 0;
}

/// One column less than the terminal has: a character in the last one would make some terminals wrap.
std::size_t status_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return (known ? size.ws_col : kUsual) - 1;
}

/// Without escape sequences, so that it works on every terminal.
void paint_status(std::string_view text) {
  write_all(STDERR_FILENO, "\r" + base::pad(text, status_columns(), base::Align::kLeft) + "\r");
}

}  // namespace

void prepare_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // open() returns the lowest free number, which is the missing one. Read-only, so that writing to a closed stream
    // still fails.
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
}

std::size_t piece_for_pipe(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text.size();
  std::size_t end = text.rfind('\n', PIPE_BUF - 1);
  if (end == std::string_view::npos) end = text.find('\n', PIPE_BUF);
  return end == std::string_view::npos ? text.size() : end + 1;
}

base::Result<void> write_stdout(std::string_view text) {
  if (text.empty()) return reader_has_gone() ? fail_write(EPIPE) : base::Result<void>();
  clear_status();
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) return fail_write(error);
  return {};
}

base::Result<void> print(std::string_view text) {
  auto written = write_stdout(text);
  if (!written && written.error().code == base::ErrorCode::kReaderGone) return {};
  return written;
}

void write_stderr(std::string_view text) {
  clear_status();
  write_all(STDERR_FILENO, text);
}

void show_status(std::string_view text) {
  if (text == shown_status || !terminal_takes_status()) return;
  paint_status(text);
  shown_status = text;
}

void clear_status() {
  if (shown_status.empty()) return;
  shown_status.clear();
  if (terminal_takes_status()) paint_status("");
}

}  // namespace twtrace::app
