// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <initializer_list>

namespace twtrace::app {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

base::Result<EventLoop> EventLoop::create() {
  EventLoop loop;
  const sigset_t signals = set_of({SIGINT, SIGTERM, SIGHUP});
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  loop.signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC));
  int saved_errno = errno;
  if (!loop.signals_) return base::fail_errno(saved_errno, "cannot wait for signals");
  loop.timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  saved_errno = errno;
  if (!loop.timer_) return base::fail_errno(saved_errno, "cannot make a timer");
  return loop;
}

base::Result<void> EventLoop::set_interval(std::chrono::nanoseconds interval) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(interval);
  itimerspec spec{};
  spec.it_interval = {whole.count(), (interval - whole).count()};
  spec.it_value = spec.it_interval;
  const int result = ::timerfd_settime(timer_.get(), 0, &spec, nullptr);
  const int saved_errno = errno;
  if (result != 0) return base::fail_errno(saved_errno, "cannot start the timer");
  return {};
}

base::Result<void> EventLoop::watch_terminal(int input) {
  const sigset_t signals = set_of({SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP});
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGTTOU, SIG_IGN);  // a background process may give the terminal back
  const int result = ::signalfd(signals_.get(), &signals, SFD_CLOEXEC);
  const int saved_errno = errno;
  if (result < 0) return base::fail_errno(saved_errno, "cannot wait for signals");
  watches_terminal_ = true;
  input_ = input;
  return {};
}

void EventLoop::stop_self() {
  const sigset_t stop = set_of({SIGTSTP});
  std::signal(SIGTSTP, SIG_DFL);
  std::raise(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);  // stops here
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
}

/// Anything but the terminal's signals means to stop. Only those need to be taken from the descriptor: nobody waits any
/// more after the others.
EventLoop::Wake EventLoop::signalled() {
  if (!watches_terminal_) return Wake::kStop;
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return Wake::kRing;
  if (info.ssi_signo == SIGWINCH) return Wake::kResize;
  return info.ssi_signo == SIGTSTP ? Wake::kSuspend : Wake::kStop;
}

base::Result<EventLoop::Wake> EventLoop::wait(int ring_fd) {
  std::array<pollfd, 4> watched = {pollfd{signals_.get(), POLLIN, 0}, pollfd{timer_.get(), POLLIN, 0},
                                   pollfd{ring_fd, POLLIN, 0}, pollfd{input_, POLLIN, 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0) {
    const int saved_errno = errno;
    if (saved_errno != EINTR) return base::fail_errno(saved_errno, "cannot wait for events");
  }
  if (watched[0].revents != 0) return signalled();
  if (watched[3].revents != 0) return Wake::kInput;
  if (watched[1].revents == 0) return Wake::kRing;
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof(expirations)) < 0) return Wake::kRing;
  return Wake::kTimer;
}

}  // namespace twtrace::app
