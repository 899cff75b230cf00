// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
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

/// Whoever started this process wants it to go on without a terminal: nohup(1). A blocked signal would come all the
/// same.
bool ignores_hangup() {
  struct sigaction action {};
  return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// Those that end a trace, beside `more`. SIGINT ends it also where it is ignored, as it is in the background of
/// scripts.
sigset_t ending_signals(std::initializer_list<int> more = {}) {
  sigset_t set = set_of(more);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (!ignores_hangup()) sigaddset(&set, SIGHUP);
  return set;
}

timespec timespec_of(std::chrono::duration<double> seconds) {
  const auto length = std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(length);
  return {whole.count(), (length - whole).count()};
}

base::Result<void> start(int timer, const itimerspec& spec) {
  const int result = ::timerfd_settime(timer, 0, &spec, nullptr);
  const int saved_errno = errno;
  if (result != 0) return base::fail_errno(saved_errno, "cannot start the timer");
  return {};
}

/// Takes an expiry of a timer that poll() found; false when there is none.
bool expired(int timer) {
  std::uint64_t expirations = 0;
  return ::read(timer, &expirations, sizeof(expirations)) == sizeof(expirations);
}

}  // namespace

void EventLoop::hold_signals() {
  const sigset_t signals = ending_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

base::Result<EventLoop> EventLoop::create() {
  EventLoop loop;
  hold_signals();
  const sigset_t signals = ending_signals();
  std::signal(SIGPIPE, SIG_IGN);
  loop.signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC));
  int saved_errno = errno;
  if (!loop.signals_) return base::fail_errno(saved_errno, "cannot wait for signals");
  loop.timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  saved_errno = errno;
  if (!loop.timer_) return base::fail_errno(saved_errno, "cannot make a timer");
  loop.deadline_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  saved_errno = errno;
  if (!loop.deadline_) return base::fail_errno(saved_errno, "cannot make a timer");
  return loop;
}

base::Result<void> EventLoop::set_interval(std::chrono::duration<double> interval) {
  return start(timer_.get(), {timespec_of(interval), timespec_of(interval)});
}

base::Result<void> EventLoop::set_deadline(std::chrono::duration<double> after) {
  // A timer of length 0 would never go off.
  return start(deadline_.get(),
               {{}, timespec_of(std::max<std::chrono::duration<double>>(after, std::chrono::nanoseconds(1)))});
}

EventLoop::Signal EventLoop::take_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return {};
  return {static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL};
}

base::Result<void> EventLoop::watch_terminal(int input) {
  const sigset_t signals = ending_signals({SIGWINCH, SIGTSTP});
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

/// Anything but the terminal's signals means to stop. Only those are taken from the descriptor here: whoever goes on
/// after the others calls take_signal().
EventLoop::Wake EventLoop::signalled() {
  if (!watches_terminal_) return Wake::kStop;
  const Signal signal = take_signal();
  if (signal.number == 0) return Wake::kRing;
  if (signal.number == SIGWINCH) return Wake::kResize;
  return signal.number == SIGTSTP ? Wake::kSuspend : Wake::kStop;
}

base::Result<EventLoop::Wake> EventLoop::wait(int ring_fd) {
  std::array<pollfd, 6> watched = {pollfd{signals_.get(), POLLIN, 0}, pollfd{child_, POLLIN, 0},
                                   pollfd{input_, POLLIN, 0},         pollfd{deadline_.get(), POLLIN, 0},
                                   pollfd{timer_.get(), POLLIN, 0},   pollfd{ring_fd, POLLIN, 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0) {
    const int saved_errno = errno;
    if (saved_errno != EINTR) return base::fail_errno(saved_errno, "cannot wait for events");
  }
  if (watched[0].revents != 0) return signalled();
  if (watched[1].revents != 0) return Wake::kChild;
  if (watched[2].revents != 0) return Wake::kInput;
  if (watched[3].revents != 0 && expired(deadline_.get())) return Wake::kDeadline;
  if (watched[4].revents != 0 && expired(timer_.get())) return Wake::kTimer;
  return Wake::kRing;
}

}  // namespace twtrace::app
