// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace twtrace::app {

base::Result<EventLoop> EventLoop::create() {
  EventLoop loop;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
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

base::Result<EventLoop::Wake> EventLoop::wait(int ring_fd) {
  std::array<pollfd, 3> watched = {pollfd{signals_.get(), POLLIN, 0}, pollfd{timer_.get(), POLLIN, 0},
                                   pollfd{ring_fd, POLLIN, 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0) {
    const int saved_errno = errno;
    if (saved_errno != EINTR) return base::fail_errno(saved_errno, "cannot wait for events");
  }
  if (watched[0].revents != 0) return Wake::kStop;
  if (watched[1].revents == 0) return Wake::kRing;
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof(expirations)) < 0) return Wake::kRing;
  return Wake::kTimer;
}

}  // namespace twtrace::app
