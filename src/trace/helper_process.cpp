// SPDX-License-Identifier: Apache-2.0
#include "trace/helper_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include "base/clock.hpp"

namespace twtrace::trace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

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
  if (pid > 0) {
    HelperProcess helper(std::move(ours), pid);
    // Of this end only: the other one waits for questions.
    if (::fcntl(helper.socket_.get(), F_SETFL, O_NONBLOCK) != 0)
      return base::fail_errno(errno, "cannot set up a socket");
    return helper;
  }
  ours.reset();
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_NAME, comm);
  serve(theirs.get(), parent);
  ::_exit(0);
}

HelperProcess::~HelperProcess() {
  constexpr milliseconds kPatience{500};
  if (pid_ <= 0) return;
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);  // a process that was forked later may hold it, too
  socket_.reset();
  if (has_ended(kPatience)) return;
  if (::kill(pid_, SIGKILL) == 0) has_ended(kPatience);
}

/// Reaps it.
bool HelperProcess::has_ended(milliseconds patience) const {
  constexpr milliseconds kPause{2};
  const auto end = steady_clock::now() + patience;
  while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (steady_clock::now() >= end) return false;
    ::poll(nullptr, 0, kPause.count());
  }
  return true;
}

void HelperProcess::ask(const base::Fields& question) {
  if (!socket_ || owes_answer_) return;
  const auto bytes = base::to_bytes(question);
  if (!bytes) return;
  // The socket is empty, because every earlier question was answered: one that does not fit is too long for it.
  const ssize_t written = ::write(socket_.get(), bytes->data(), bytes->size());
  owes_answer_ = written == static_cast<ssize_t>(bytes->size());
  if (!owes_answer_) socket_.reset();
}

std::optional<base::Fields> HelperProcess::answer(milliseconds patience) {
  const auto end = steady_clock::now() + patience;
  while (owes_answer()) {
    const bool may_go_on = receive();
    if (auto fields = inbox_.take()) {
      owes_answer_ = false;
      return fields;
    }
    if (!may_go_on || inbox_.is_broken()) {
      socket_.reset();
      break;
    }
    const auto left = base::time_left(end);
    if (left == milliseconds(0)) break;
    pollfd arrives{socket_.get(), POLLIN, 0};
    ::poll(&arrives, 1, static_cast<int>(left.count()));
  }
  return std::nullopt;
}

/// Takes in what has arrived. False if nothing more will.
bool HelperProcess::receive() {
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = ::read(socket_.get(), buffer.data(), buffer.size());
    if (got > 0) {
      inbox_.add({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || errno != EINTR) {
      return got < 0 && errno == EAGAIN;
    }
  }
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
