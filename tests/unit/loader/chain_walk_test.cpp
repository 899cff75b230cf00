// SPDX-License-Identifier: Apache-2.0
#include "loader/chain_walk.hpp"

#include <utility>

#include "support/catch.hpp"

using namespace twtrace::loader;

namespace {

tw_socket_reading reading(std::uint32_t chain, std::uint16_t port, std::uint8_t state = 6) {
  tw_socket_reading result{};
  result.local_port = port;
  result.state = state;
  result.chain = chain;
  return result;
}

using Seen = std::vector<std::pair<std::uint16_t, unsigned>>;  // port, state

Seen hand_on(std::vector<tw_socket_reading> readings) {
  Seen seen;
  hand_on_chains(std::span(readings),
                 [&seen](const tw_socket_reading& each) { seen.emplace_back(each.local_port, each.state); });
  return seen;
}

}  // namespace

TEST_CASE("sockets of different chains are handed on as they are") {
  CHECK(hand_on({}).empty());
  CHECK(hand_on({reading(1, 10)}) == Seen{{10, 6}});
  CHECK(hand_on({reading(1, 20), reading(2, 10)}) == Seen{{20, 6}, {10, 6}});
}

TEST_CASE("a socket that was read twice in a chain is handed on once") {
  CHECK(hand_on({reading(1, 20), reading(1, 10), reading(1, 20), reading(2, 30), reading(2, 30)}) ==
        Seen{{10, 6}, {20, 6}, {30, 6}});
}

TEST_CASE("a bucket is handed on instead of the socket that it replaces") {
  CHECK(hand_on({reading(1, 10, 5), reading(1, 11), reading(1, 10, 6)}) == Seen{{10, 6}, {11, 6}});
  CHECK(hand_on({reading(1, 10, 6), reading(1, 10, 5)}) == Seen{{10, 6}});
}
