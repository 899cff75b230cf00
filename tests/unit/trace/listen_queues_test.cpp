// SPDX-License-Identifier: Apache-2.0
#include "trace/listen_queues.hpp"

#include <map>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using twtrace::trace::ListenQueues;

namespace {

constexpr std::uint64_t kNetns = 7;
constexpr std::uint64_t kOther = 8;

tw_listener_reading listening(std::uint64_t socket, std::uint32_t drops, std::uint64_t netns = kNetns) {
  tw_listener_reading reading{};
  reading.socket = socket;
  reading.netns_id = netns;
  reading.drops = drops;
  return reading;
}

tw_closed_listener closed(std::uint64_t socket, std::uint32_t drops) {
  tw_closed_listener listener{};
  listener.socket = socket;
  listener.netns_id = kNetns;
  listener.drops = drops;
  return listener;
}

/// Looks at sockets of a kernel that dropped nothing between the readings of a look.
class Watch {
 public:
  explicit Watch(const std::vector<tw_listener_reading>& sockets, std::uint64_t kernel = 100)
      : kernel_{{kNetns, kernel}} {
    queues_.start(kernel_, sockets);
  }
  void kernel(std::uint64_t netns, std::uint64_t more) { kernel_[netns] += more; }
  void forget(std::uint64_t netns) { kernel_.erase(netns); }
  /// By socket, and whether it closed.
  std::map<std::pair<std::uint64_t, bool>, std::uint64_t> look(const std::vector<tw_listener_reading>& sockets,
                                                               const std::vector<tw_closed_listener>& ended = {}) {
    std::map<std::pair<std::uint64_t, bool>, std::uint64_t> drops;
    for (const ListenQueues::Drops& socket : queues_.look({kernel_, ended, sockets, kernel_})) {
      drops[{socket.socket, socket.closed}] = socket.drops;
    }
    return drops;
  }

 private:
  ListenQueues::Kernel kernel_;
  ListenQueues queues_;
};

using Dropped = std::map<std::pair<std::uint64_t, bool>, std::uint64_t>;

}  // namespace

TEST_CASE("what a listening socket dropped before the start does not count, what a younger one dropped does") {
  Watch watch({listening(1, 100)});
  CHECK(watch.look({listening(1, 100)}).empty());
  watch.kernel(kNetns, 17 + 13);
  CHECK(watch.look({listening(1, 117), listening(2, 13)}) == Dropped{{{1, false}, 17}, {{2, false}, 13}});
  CHECK(watch.look({listening(1, 117), listening(2, 13)}).empty());
}

TEST_CASE("what a socket dropped before it closed counts, and another one at its address begins anew") {
  Watch watch({listening(1, 5)});
  watch.kernel(kNetns, 20 + 30);
  CHECK(watch.look({listening(1, 30)}, {closed(1, 25)}) == Dropped{{{1, true}, 20}, {{1, false}, 30}});
  // It closed after those that closed were read, and before those that listen were.
  CHECK(watch.look({}).empty());
  watch.kernel(kNetns, 3);
  CHECK(watch.look({}, {closed(1, 33)}) == Dropped{{{1, true}, 3}});
  // One that came and went between two looks.
  watch.kernel(kNetns, 4);
  CHECK(watch.look({}, {closed(2, 4)}) == Dropped{{{2, true}, 4}});
}

TEST_CASE("a counter that fell is another socket's, and one that wraps goes on") {
  Watch watch({listening(1, 0xffffffff)});
  watch.kernel(kNetns, 6);
  CHECK(watch.look({listening(1, 6)}) == Dropped{{{1, false}, 6}});
}

TEST_CASE("segments that are no connection attempts do not count") {
  Watch watch({listening(1, 0), listening(2, 0)});
  CHECK(watch.look({listening(1, 40), listening(2, 2)}).empty());  // ListenDrops has not moved
  // The ACK of a connection that finds no place raises the socket's counter twice, ListenDrops once.
  watch.kernel(kNetns, 10);
  CHECK(watch.look({listening(1, 60), listening(2, 2)}) == Dropped{{{1, false}, 10}});
}

TEST_CASE("where it is not certain which socket dropped them, each gets no more than is certain") {
  Watch watch({listening(1, 0), listening(2, 0), listening(3, 0)});
  watch.kernel(kNetns, 100);
  CHECK(watch.look({listening(1, 98), listening(2, 5), listening(3, 1)}) == Dropped{{{1, false}, 94}, {{2, false}, 1}});
}

TEST_CASE("each namespace has its own counter, and one that is gone tells nothing") {
  Watch watch({listening(1, 0)});
  watch.kernel(kNetns, 3);
  watch.kernel(kOther, 5);  // younger than the last look
  CHECK(watch.look({listening(1, 9), listening(2, 5, kOther)}) == Dropped{{{1, false}, 3}, {{2, false}, 5}});
  watch.forget(kOther);
  CHECK(watch.look({listening(1, 9), listening(2, 6, kOther)}).empty());
}

TEST_CASE("what is dropped while a look reads belongs to this look or to the next one") {
  ListenQueues queues;
  queues.start({{kNetns, 0}}, std::vector{listening(1, 0)});
  const auto first = queues.look({{{kNetns, 2}}, {}, std::vector{listening(1, 5)}, {{kNetns, 9}}});
  REQUIRE(first.size() == 1);
  CHECK(first[0].drops == 5);
  const auto second = queues.look({{{kNetns, 9}}, {}, std::vector{listening(1, 9)}, {{kNetns, 9}}});
  REQUIRE(second.size() == 1);
  CHECK(second[0].drops == 4);
}
