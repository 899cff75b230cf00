// SPDX-License-Identifier: Apache-2.0
#include "trace/helper_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

namespace twtrace::trace {

base::Result<HelperProcess> HelperProcess::start(const char* comm, const Serve& serve) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail_errno(errno, "cannot make a socket pair");
  }
  base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  const int saved_errno = errno;
  if (pid < 0) return base::fail_errno(saved_errno, std::string("cannot start the process ") + comm);
  if (pid > 0) return HelperProcess(std::move(ours), pid);
  ours.reset();
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_NAME, comm);
  serve(theirs.get(), parent);
  ::_exit(0);
}

HelperProcess::~HelperProcess() {
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);  // a process that was forked later may hold it, too
  socket_.reset();
  while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<base::Fields> HelperProcess::ask(const base::Fields& question) {
  if (!socket_) return std::nullopt;
  auto answer = base::send_fields(socket_.get(), question) ? base::receive_fields(socket_.get()) : std::nullopt;
  if (!answer) socket_.reset();
  return answer;
}

bool keep_descriptors(std::span<const int> fds) {
  const int end = kFirstKept + static_cast<int>(fds.size());
  std::vector<int> aside;  // above the places that they are to have
  for (const int fd : fds) {
    aside.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, end));
    if (aside.back() < 0) return false;
  }
  for (std::size_t i = 0; i < aside.size(); ++i) {
    if (::dup2(aside[i], kFirstKept + static_cast<int>(i)) < 0) return false;
  }
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(null, fd) < 0) return false;
  }
  return ::syscall(SYS_close_range, end, ~0U, 0) == 0;  // 5.9
}

bool end_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return ::getppid() == parent;
}

}  // namespace twtrace::trace
