// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include <poll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include "app/signals.hpp"

namespace twtrace::app {
namespace {

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

/// Takes an expiry of a timer that poll() found. False if there is none.
bool expired(int timer) {
  std::uint64_t expirations = 0;
  return ::read(timer, &expirations, sizeof(expirations)) == sizeof(expirations);
}

EventLoop::Wake signalled() {
  switch (const int number = next_signal()) {
    case SIGWINCH:
      return EventLoop::Wake::kResize;
    case SIGTSTP:
      return EventLoop::Wake::kSuspend;
    case SIGCONT:
      return EventLoop::Wake::kResume;
    default:
      return is_ending(number) ? EventLoop::Wake::kStop : EventLoop::Wake::kRing;
  }
}

}  // namespace

base::Result<EventLoop> EventLoop::create() {
  if (auto taken = take_signals_over(); !taken) return tl::unexpected(taken.error());
  EventLoop loop;
  loop.timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  int saved_errno = errno;
  if (!loop.timer_) return base::fail_errno(saved_errno, "cannot make a timer");
  loop.deadline_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  saved_errno = errno;
  if (!loop.deadline_) return base::fail_errno(saved_errno, "cannot make a timer");
  return loop;
}

void EventLoop::stop_in_background() {
  constexpr int kSecondMs = 1000;
  stop_by(SIGTTOU);
  pollfd signals{signal_fd(), POLLIN, 0};
  ::poll(&signals, 1, kSecondMs);
}

base::Result<void> EventLoop::set_interval(std::chrono::duration<double> interval) {
  return start(timer_.get(), {timespec_of(interval), timespec_of(interval)});
}

base::Result<void> EventLoop::set_deadline(std::chrono::duration<double> after) {
  // A timer of length 0 would never expire.
  return start(deadline_.get(),
               {{}, timespec_of(std::max<std::chrono::duration<double>>(after, std::chrono::nanoseconds(1)))});
}

void EventLoop::watch_terminal(int input) {
  take_signals_over({SIGWINCH, SIGTSTP, SIGCONT});
  input_ = input;
}

base::Result<EventLoop::Wake> EventLoop::wait(int ring_fd) {
  std::array<pollfd, 7> watched = {pollfd{signal_fd(), POLLIN, 0},  pollfd{child_, POLLIN, 0},
                                   pollfd{input_, POLLIN, 0},       pollfd{deadline_.get(), POLLIN, 0},
                                   pollfd{timer_.get(), POLLIN, 0}, pollfd{server_, POLLIN, 0},
                                   pollfd{ring_fd, POLLIN, 0}};
  constexpr int kSecondMs = 1000;
  const int timeout_ms = ring_fd < 0 ? -1 : kSecondMs;
  while (::poll(watched.data(), watched.size(), timeout_ms) < 0) {
    const int saved_errno = errno;
    if (saved_errno != EINTR) return base::fail_errno(saved_errno, "cannot wait for events");
  }
  if (watched[0].revents != 0) return signalled();
  if (watched[1].revents != 0) return Wake::kChild;
  if (watched[2].revents != 0) return Wake::kInput;
  if (watched[3].revents != 0 && expired(deadline_.get())) return Wake::kDeadline;
  const bool server_has_waited = std::exchange(timer_was_last_, false) && watched[5].revents != 0;
  if (!server_has_waited && watched[4].revents != 0 && expired(timer_.get())) {
    timer_was_last_ = true;
    return Wake::kTimer;
  }
  if (watched[5].revents != 0) return Wake::kServer;
  return Wake::kRing;
}

}  // namespace twtrace::app
