// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "support/catch.hpp"

using twtrace::app::EventLoop;

TEST_CASE("a server is served between two intervals, however short they are") {
  auto loop = EventLoop::create();
  REQUIRE(loop);
  const twtrace::base::UniqueFd busy(::eventfd(1, EFD_CLOEXEC));  // always has something to do
  REQUIRE(busy);
  loop->watch_server(busy.get());
  REQUIRE(loop->set_interval(std::chrono::nanoseconds(1)));
  std::vector<EventLoop::Wake> wakes;
  for (int i = 0; i < 1000; ++i) {
    const auto wake = loop->wait(-1);
    REQUIRE(wake);
    wakes.push_back(*wake);
  }
  const auto twice = [](EventLoop::Wake first, EventLoop::Wake second) {
    return first == EventLoop::Wake::kTimer && second == EventLoop::Wake::kTimer;
  };
  CHECK(std::adjacent_find(wakes.begin(), wakes.end(), twice) == wakes.end());
  CHECK(std::count(wakes.begin(), wakes.end(), EventLoop::Wake::kTimer) > 0);
  CHECK(std::count(wakes.begin(), wakes.end(), EventLoop::Wake::kServer) > 0);
}
