// SPDX-License-Identifier: Apache-2.0
#include "app/streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace twtrace::app {
namespace {

const char* remedy(int saved_errno) {
  switch (saved_errno) {
    case ENOSPC:
      return "make room on the device; what was written before is there";
    case EBADF:
      return "it is closed: give it a file, a pipe or a terminal";
    default:
      return "";
  }
}

tl::unexpected<base::Error> fail_write(int saved_errno) {
  auto error = base::fail_errno(saved_errno, "cannot write to standard output", remedy(saved_errno));
  // Whatever the reason, tracing itself worked.
  error.value().code = saved_errno == EPIPE ? base::ErrorCode::kReaderGone : base::ErrorCode::kFailure;
  return error;
}

bool reader_has_gone() {
  pollfd watched{STDOUT_FILENO, 0, 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLERR) != 0;
}

}  // namespace

void prepare_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is the one that is missing. Read-only, so that writing to a closed stream still fails.
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
}

base::Result<void> write_stdout(std::string_view text) {
  if (text.empty() && reader_has_gone()) return fail_write(EPIPE);
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    const int saved_errno = errno;
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (saved_errno != EINTR) {
      return fail_write(saved_errno);
    }
  }
  return {};
}

base::Result<void> print(std::string_view text) {
  auto written = write_stdout(text);
  if (!written && written.error().code == base::ErrorCode::kReaderGone) return {};
  return written;
}

}  // namespace twtrace::app
