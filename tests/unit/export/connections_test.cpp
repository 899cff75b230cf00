// SPDX-License-Identifier: Apache-2.0
#include "export/connections.hpp"

#include "support/catch.hpp"

using twtrace::exporter::ConnectionLimits;
using twtrace::exporter::Connections;

namespace {

constexpr ConnectionLimits kLimits{.most = 4, .most_per_address = 2, .request_ns = 10, .idle_ns = 100};

}  // namespace

TEST_CASE("a new connection takes the place of the stalest of its address, then of all") {
  Connections connections(kLimits);
  CHECK(connections.add(1, "a", 1) == -1);
  CHECK(connections.add(2, "a", 2) == -1);
  CHECK(connections.add(3, "a", 3) == 1);
  connections.end_reply(2, 4);
  CHECK(connections.add(4, "a", 5) == 3);
  CHECK(connections.add(5, "b", 5) == -1);
  CHECK(connections.add(6, "b", 6) == -1);
  CHECK(connections.add(7, "c", 7) == 2);
  CHECK(connections.size() == 4);
}

TEST_CASE("a request has its time, however slowly it comes, and a reply too") {
  Connections connections(kLimits);
  connections.add(1, "a", 0);
  CHECK(connections.take_overdue(9).empty());
  CHECK(connections.next_deadline_ns() == 10U);
  CHECK(connections.take_overdue(10) == std::vector{1});
  CHECK(connections.take_overdue(11).empty());
  connections.add(2, "a", 20);
  connections.begin_reply(2, 25);
  CHECK(connections.take_overdue(34).empty());
  connections.end_reply(2, 30);
  CHECK(connections.take_overdue(129).empty());  // kept for the next request
  CHECK(connections.take_overdue(130) == std::vector{2});
  CHECK(connections.size() == 0);
  CHECK_FALSE(connections.next_deadline_ns());
}

TEST_CASE("a closed connection is forgotten, and so is what comes for one that is not known") {
  Connections connections(kLimits);
  connections.add(1, "a", 0);
  connections.remove(1);
  connections.remove(1);
  connections.begin_reply(1, 5);
  connections.end_reply(1, 5);
  CHECK(connections.size() == 0);
  CHECK(connections.take_overdue(1000).empty());
}
