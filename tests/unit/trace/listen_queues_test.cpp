// SPDX-License-Identifier: Apache-2.0
#include "trace/listen_queues.hpp"

#include <map>
#include <vector>

#include "support/catch.hpp"

using twtrace::trace::ListenQueues;

namespace {

constexpr std::uint64_t kNetns = 7;
constexpr std::uint64_t kOther = 8;

tw_listener_reading listening(std::uint64_t id, std::uint32_t drops, std::uint64_t netns = kNetns) {
  tw_listener_reading reading{};
  reading.id = id;
  reading.netns_id = netns;
  reading.drops = drops;
  return reading;
}

tw_closed_listener closed(std::uint64_t id, std::uint32_t drops) {
  tw_closed_listener listener{};
  listener.id = id;
  listener.netns_id = kNetns;
  listener.drops = drops;
  return listener;
}

std::uint32_t own_row(std::uint64_t socket) { return static_cast<std::uint32_t>(socket); }

using Dropped = std::map<std::uint64_t, std::uint64_t>;

/// Looks at the sockets of a kernel, each of which has a row of its own.
class Watch {
 public:
  explicit Watch(const std::vector<tw_listener_reading>& sockets, std::uint64_t kernel = 100)
      : kernel_{{kNetns, kernel}} {
    queues_.start(kernel_, sockets);
  }
  void kernel(std::uint64_t netns, std::uint64_t more) { kernel_[netns] += more; }
  void forget(std::uint64_t netns) { kernel_.erase(netns); }
  Dropped look(const std::vector<tw_listener_reading>& sockets, const std::vector<tw_closed_listener>& ended = {}) {
    Dropped drops;
    for (const ListenQueues::RowDrops& row : ListenQueues::by_row(queues_.look(sockets, ended, kernel_), own_row)) {
      CHECK(drops.emplace(row.row, row.drops).second);
    }
    return drops;
  }

 private:
  ListenQueues::Kernel kernel_;
  ListenQueues queues_;
};

}  // namespace

TEST_CASE("what a listening socket dropped before the start does not count, what a younger one dropped does") {
  Watch watch({listening(1, 100)});
  CHECK(watch.look({listening(1, 100)}).empty());
  watch.kernel(kNetns, 17 + 13);
  CHECK(watch.look({listening(1, 117), listening(2, 13)}) == Dropped{{1, 17}, {2, 13}});
  CHECK(watch.look({listening(1, 117), listening(2, 13)}).empty());
}

TEST_CASE("what a socket dropped before it closed counts once, whenever it closes") {
  Watch watch({listening(1, 5), listening(2, 0)});
  watch.kernel(kNetns, 20 + 3);
  SECTION("before a look") {
    CHECK(watch.look({listening(2, 3)}, {closed(1, 25)}) == Dropped{{1, 20}, {2, 3}});
    CHECK(watch.look({listening(2, 3)}).empty());
  }
  SECTION("after those that listen were read, and after some more drops") {
    CHECK(watch.look({listening(1, 11), listening(2, 3)}, {closed(1, 25)}) == Dropped{{1, 20}, {2, 3}});
    CHECK(watch.look({listening(2, 3)}).empty());
  }
  SECTION("after those that closed were read") {
    CHECK(watch.look({listening(1, 11), listening(2, 3)}) == Dropped{{1, 6}, {2, 3}});
    CHECK(watch.look({listening(2, 3)}, {closed(1, 25)}) == Dropped{{1, 14}});
  }
  SECTION("between its end and the record of it, so that a look finds neither") {
    CHECK(watch.look({listening(2, 3)}) == Dropped{{2, 3}});
    CHECK(watch.look({listening(2, 3)}, {closed(1, 25)}) == Dropped{{1, 20}});
  }
  SECTION("and it listens again") {
    CHECK(watch.look({listening(1, 25), listening(2, 3)}, {closed(1, 24)}) == Dropped{{1, 20}, {2, 3}});
  }
}

TEST_CASE("what a socket dropped that came and went between two looks counts") {
  Watch watch({});
  watch.kernel(kNetns, 4 + 6);
  CHECK(watch.look({}, {closed(2, 4), closed(3, 6)}) == Dropped{{2, 4}, {3, 6}});
}

TEST_CASE("a counter may wrap") {
  Watch watch({listening(1, 0xffffffff)});
  watch.kernel(kNetns, 7);
  CHECK(watch.look({listening(1, 6)}) == Dropped{{1, 7}});
}

TEST_CASE("segments that are no connection attempts do not count") {
  Watch watch({listening(1, 0), listening(2, 0)});
  CHECK(watch.look({listening(1, 40), listening(2, 2)}).empty());  // ListenDrops has not moved
  // The ACK of a connection that finds no place raises the socket's counter twice, ListenDrops once.
  watch.kernel(kNetns, 10);
  CHECK(watch.look({listening(1, 60), listening(2, 2)}) == Dropped{{1, 10}});
}

TEST_CASE("it does not matter which socket of a row dropped them") {
  ListenQueues queues;
  queues.start({{kNetns, 0}}, {});
  const std::vector sockets{listening(1, 4), listening(2, 4), listening(3, 4), listening(4, 5)};
  const auto growth = queues.look(sockets, {}, {{kNetns, 15}});
  const auto rows = ListenQueues::by_row(growth, [](std::uint64_t socket) { return socket == 4 ? 6U : 5U; });
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].row == 5);
  CHECK(rows[0].drops == 10);
  CHECK(rows[1].drops == 3);
  const auto together = ListenQueues::by_row(growth, [](std::uint64_t) { return TW_ROW_NONE; });
  REQUIRE(together.size() == 1);
  CHECK(together[0].netns_id == kNetns);
  CHECK(together[0].drops == 15);
}

TEST_CASE("where it is not certain whose socket dropped them, each row gets no more than is certain") {
  Watch watch({listening(1, 0), listening(2, 0), listening(3, 0)});
  watch.kernel(kNetns, 100);
  CHECK(watch.look({listening(1, 98), listening(2, 5), listening(3, 1)}) == Dropped{{1, 94}, {2, 1}});
  // The uncertain ones are not given to what is no connection attempt later.
  CHECK(watch.look({listening(1, 99), listening(2, 9), listening(3, 9)}).empty());
}

TEST_CASE("the uncertainty of a socket that closes during a look is taken off once") {
  Watch watch({listening(1, 0), listening(2, 0)});
  watch.kernel(kNetns, 100);
  CHECK(watch.look({listening(1, 50), listening(2, 10)}, {closed(1, 99)}) == Dropped{{1, 90}, {2, 1}});
}

TEST_CASE("each namespace has its own counter, and one that is gone tells nothing") {
  Watch watch({listening(1, 0)});
  watch.kernel(kNetns, 3);
  watch.kernel(kOther, 5);  // younger than the last look
  CHECK(watch.look({listening(1, 9), listening(2, 5, kOther)}) == Dropped{{1, 3}, {2, 5}});
  watch.forget(kOther);
  CHECK(watch.look({listening(1, 9), listening(2, 6, kOther)}).empty());
}

TEST_CASE("what is dropped while a look reads belongs to this look or to the next one") {
  ListenQueues queues;
  queues.start({{kNetns, 0}}, std::vector{listening(1, 0)});
  const auto first = queues.look(std::vector{listening(1, 5)}, {}, {{kNetns, 9}});
  REQUIRE(first.sockets.size() == 1);
  CHECK(first.sockets[0].growth == 5);
  CHECK(first.excess.at(kNetns) == 0);
  const auto second = queues.look(std::vector{listening(1, 9)}, {}, {{kNetns, 9}});
  REQUIRE(second.sockets.size() == 1);
  CHECK(second.sockets[0].growth == 4);
}
