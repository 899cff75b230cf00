// SPDX-License-Identifier: Apache-2.0
#include "base/fields.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::base;

namespace {

struct Sockets {
  Sockets() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    one.reset(ends[0]);
    other.reset(ends[1]);
  }
  base::UniqueFd one;
  base::UniqueFd other;
};

}  // namespace

TEST_CASE("lists arrive as they were sent, however long") {
  const Sockets sockets;
  const std::string any_bytes("\0\n\xff", 3);
  for (const Fields& sent : {Fields{}, Fields{""}, Fields{"a", any_bytes, ""}, Fields(3, std::string(200'000, 'x'))}) {
    std::thread sender([&] { send_fields(sockets.one.get(), sent); });
    const auto received = receive_fields(sockets.other.get());
    sender.join();
    CHECK(received == sent);
  }
}

TEST_CASE("what is no list is refused") {
  Sockets sockets;
  for (const std::string& bytes :
       {std::string("\x01\0\0\0x", 5), std::string("\x04\0\0\0\x01\0\0\0", 8), std::string("\xff\xff\xff\xff", 4)}) {
    REQUIRE(::write(sockets.one.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    CHECK_FALSE(receive_fields(sockets.other.get()));
    sockets = Sockets();
  }
  sockets.one.reset();
  CHECK_FALSE(receive_fields(sockets.other.get()));
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK_FALSE(send_fields(sockets.other.get(), {"x"}));
  std::signal(SIGPIPE, before);
}

TEST_CASE("a list that arrives in parts is taken once it is whole") {
  const Fields first = {"a", std::string("\0\n", 2), ""};
  const Fields second = {};
  const std::string bytes = to_bytes(first).value() + to_bytes(second).value();
  FieldsInbox inbox;
  for (std::size_t i = 0; i + sizeof(std::uint32_t) < bytes.size(); ++i) {
    CHECK_FALSE(inbox.take());
    inbox.add(bytes.substr(i, 1));
  }
  CHECK(inbox.take() == first);
  CHECK_FALSE(inbox.take());
  inbox.add(bytes.substr(bytes.size() - sizeof(std::uint32_t)));
  CHECK(inbox.take() == second);
  CHECK_FALSE(inbox.take());
  CHECK_FALSE(inbox.is_broken());
}

TEST_CASE("parts of what is no list break it for good") {
  for (const std::string& bytes : {std::string("\x04\0\0\0\x01\0\0\0", 8), std::string("\xff\xff\xff\xff", 4)}) {
    FieldsInbox inbox;
    inbox.add(bytes);
    CHECK_FALSE(inbox.take());
    CHECK(inbox.is_broken());
    inbox.add(to_bytes({"whole"}).value());
    CHECK_FALSE(inbox.take());
  }
}
