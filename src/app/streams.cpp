// SPDX-License-Identifier: Apache-2.0
#include "app/streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "app/signals.hpp"

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
  if (text.empty() && reader_has_gone()) return fail_write(EPIPE);
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) return fail_write(error);
  return {};
}

base::Result<void> print(std::string_view text) {
  auto written = write_stdout(text);
  if (!written && written.error().code == base::ErrorCode::kReaderGone) return {};
  return written;
}

void write_stderr(std::string_view text) { write_all(STDERR_FILENO, text); }

}  // namespace twtrace::app
