// SPDX-License-Identifier: Apache-2.0
#include "app/stdout_writer.hpp"

#include <unistd.h>

#include <cerrno>

namespace twtrace::app {

base::Result<void> write_stdout(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    const int saved_errno = errno;
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (saved_errno != EINTR) {
      return base::fail_errno(saved_errno, "cannot write to standard output",
                              saved_errno == EPIPE ? "its reader has gone; counting has stopped" : "");
    }
  }
  return {};
}

}  // namespace twtrace::app
